// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "initrd/seam/cpus.h"
#include "initrd/linux/fault.h"
#include "initrd/linux/series.h"

struct helper {
	struct work_struct item;
	seam_work *work;
	void *context;
};

size_t __init seam_cpus(void)
{
	return num_online_cpus();
}

static void __init help(struct work_struct *item)
{
	struct helper *helper = container_of(item, struct helper, item);

	helper->work(helper->context);
}

/*
 * The queue may be full of others' work that waits for the one who calls this, as for
 * firmware in the root file system: so helpers that have not begun are not waited for.
 */
void __init seam_run_parallel(seam_work *work, void *context, size_t calls)
{
	struct helper *helpers = calls < 2 || seam_fault() ? NULL :
				 kcalloc(calls - 1, sizeof(*helpers), GFP_KERNEL | __GFP_NOWARN);
	size_t others = helpers ? calls - 1 : 0;
	size_t i;

	for (i = 0; i < others; i++) {
		helpers[i].work = work;
		helpers[i].context = context;
		INIT_WORK(&helpers[i].item, help);
		queue_work(SERIES_UNBOUND_QUEUE, &helpers[i].item);
	}
	work(context);
	for (i = 0; i < others; i++)
		cancel_work_sync(&helpers[i].item);
	kfree(helpers);
}

void __init seam_cond_resched(void)
{
	cond_resched();
}
