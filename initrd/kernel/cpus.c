// SPDX-License-Identifier: GPL-2.0
#include <linux/async.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/sched.h>

#include "initrd/kernel/cpus.h"

static ASYNC_DOMAIN_EXCLUSIVE(domain);

struct job {
	seam_work *work;
	void *context;
};

size_t __init seam_cpus(void)
{
	return num_online_cpus();
}

static void __init run(void *data, async_cookie_t cookie)
{
	struct job *job = data;

	job->work(job->context);
}

void __init seam_run_parallel(seam_work *work, void *context, size_t calls)
{
	struct job job = { work, context };

	while (calls-- > 1)
		async_schedule_domain(run, &job, &domain);
	work(context);
	async_synchronize_full_domain(&domain);
}

void __init seam_breathe(void)
{
	cond_resched();
}
