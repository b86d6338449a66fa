// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/magic.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/xarray.h>

#include "initrd/seam/cache.h"
#include "initrd/linux/fault.h"
#include "initrd/linux/series.h"

/* At boot there is no process to kill: fail rather than panic. */
#define FAIL_RATHER (__GFP_RETRY_MAYFAIL | __GFP_NOWARN)

static struct inode *to_inode(const struct seam_node *node)
{
	return d_inode((struct dentry *)node);
}

static struct page *to_page(struct seam_page *page)
{
	return (struct page *)page;
}

int __init seam_node_takes_pages(const struct seam_node *node)
{
	struct inode *inode = to_inode(node);
	unsigned long magic = inode->i_sb->s_magic;

	return (magic == RAMFS_MAGIC || shmem_mapping(inode->i_mapping)) &&
	       S_ISREG(inode->i_mode) && !i_size_read(inode) && !inode->i_mapping->nrpages;
}

int __init seam_node_pages_can_move(const struct seam_node *node)
{
	return !!(mapping_gfp_mask(to_inode(node)->i_mapping) & __GFP_MOVABLE);
}

size_t __init seam_pages_new(const struct seam_node *node, struct seam_page **pages,
			     size_t count)
{
	gfp_t gfp = mapping_gfp_mask(to_inode(node)->i_mapping) | FAIL_RATHER;
	unsigned int order = ilog2(count);
	struct page *block;
	size_t i;

	if (seam_fault())
		return 0;
	/* One block that is split costs less than its pages one by one. */
	block = order ? alloc_pages((gfp & ~__GFP_RETRY_MAYFAIL) | __GFP_NORETRY, order) : NULL;
	if (!block)
		return SERIES_BULK_PAGES(gfp, count, (struct page **)pages);
	split_page(block, order);
	for (i = 0; i < 1UL << order; i++)
		pages[i] = (struct seam_page *)(block + i);
	return i;
}

struct seam_page * __init seam_page_adopt(u8 *mapped)
{
	struct page *page = virt_to_page(mapped);

	/* free_reserved_page() without the free; its counting was done before. */
	__ClearPageReserved(page);
	init_page_count(page);
	/* Whoever moves it, or splits it, wants to know who had it allocated. */
	SERIES_TAG_PAGE(page);
	flush_dcache_page(page);
	return (struct seam_page *)page;
}

void __init seam_page_free(struct seam_page *page)
{
	__free_page(to_page(page));
}

void __init seam_page_write(struct seam_page *page, size_t at, const void *from, size_t size)
{
	char *to;

	if (!IS_ENABLED(CONFIG_X86_64) || size < PAGE_SIZE) {
		memcpy_to_page(to_page(page), at, from, size);
		return;
	}
	/* For a whole page there is something faster; here it takes any `from`. */
	to = kmap_local_page(to_page(page));
	copy_page(to, (void *)from);
	kunmap_local(to);
}

void __init seam_page_zero(struct seam_page *page, size_t at, size_t size)
{
	memzero_page(to_page(page), at, size);
}

/*
 * Gives a page the state of one that was written. Nobody else sees it yet, and when
 * they do, it is complete: there is nothing that a lock would make them wait for.
 */
static int __init prepare(struct address_space *mapping, struct folio *folio, pgoff_t index)
{
	int status = seam_fault() ? -ENOMEM :
		     mem_cgroup_charge(folio, NULL, GFP_KERNEL | FAIL_RATHER);

	if (status)
		return status;
	folio->mapping = mapping;
	folio->index = index;
	if (shmem_mapping(mapping))
		__folio_set_swapbacked(folio);
	folio_mark_uptodate(folio);
	folio_set_dirty(folio);
	return 0;
}

size_t __init seam_pages_prepare(struct seam_node *node, u64 first, struct seam_page **pages,
				 size_t count)
{
	struct address_space *mapping = to_inode(node)->i_mapping;
	size_t ready = 0;

	while (ready < count && !prepare(mapping, page_folio(to_page(pages[ready])), first + ready))
		ready++;
	return ready;
}

void __init seam_page_unprepare(struct seam_page *page)
{
	struct folio *folio = page_folio(to_page(page));

	folio_clear_dirty(folio);
	folio_clear_uptodate(folio);
	folio_clear_swapbacked(folio);
	folio->mapping = NULL;
	mem_cgroup_uncharge(folio);
}

/* `change` pages more are the mapping's, with its tree locked. */
static void __init change_nrpages(struct address_space *mapping, long change)
{
	lockdep_assert_held(&mapping->i_pages.xa_lock);
	mapping->nrpages += change;
}

/* Counts pages that are the mapping's now, with its tree locked. */
static void __init count_pages(struct address_space *mapping, struct page **pages, size_t count)
{
	bool shmem = shmem_mapping(mapping);
	size_t first, end;

	/* At boot they all belong to the root of the memory cgroups. */
	for (first = 0; first < count; first = end) {
		struct folio *folio = page_folio(pages[first]);

		for (end = first + 1; end < count; end++)
			if (page_pgdat(pages[end]) != folio_pgdat(folio))
				break;
		__lruvec_stat_mod_folio(folio, NR_FILE_PAGES, end - first);
		if (shmem)
			__lruvec_stat_mod_folio(folio, NR_SHMEM, end - first);
	}
	if (!shmem)
		change_nrpages(mapping, count);
}

/* Puts pages into the mapping's tree, side by side; returns how many. */
static size_t __init store(struct address_space *mapping, pgoff_t first, struct page **pages,
			   size_t count, int *status)
{
	XA_STATE(xas, &mapping->i_pages, first);
	size_t done = 0, counted = 0;

	lockdep_assert_held_write(&mapping->host->i_rwsem);
	do {
		xas_lock_irq(&xas);
		while (done < count) {
			struct folio *folio = page_folio(pages[done]);

			/* Nothing is replaced. */
			if (xas_load(&xas))
				xas_set_err(&xas, -EEXIST);
			else
				xas_store(&xas, folio);
			if (xas_error(&xas))
				break;
			done++;
			xas_next(&xas);
		}
		count_pages(mapping, pages + counted, done - counted);
		counted = done;
		xas_unlock_irq(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL | FAIL_RATHER));
	*status = xas_error(&xas);
	return done;
}

size_t __init seam_node_store_pages(struct seam_node *node, u64 first, struct seam_page **pages,
				    size_t count, int *status)
{
	struct inode *inode = to_inode(node);
	size_t done, i;

	inode_lock(inode);
	done = store(inode->i_mapping, first, (struct page **)pages, count, status);
	inode_unlock(inode);
	for (i = 0; i < done; i++)
		folio_add_lru(page_folio(to_page(pages[i])));
	return done;
}

#ifdef CONFIG_SHMEM
/* Of tmpfs the room for the pages is taken first, and counted in nrpages with it. */
int __init seam_node_take_room(struct seam_node *node, size_t count)
{
	struct inode *inode = to_inode(node);

	return !shmem_mapping(inode->i_mapping) || shmem_charge(inode, count);
}

void __init seam_node_give_room(struct seam_node *node, size_t count)
{
	struct inode *inode = to_inode(node);

	if (!shmem_mapping(inode->i_mapping))
		return;
	xa_lock_irq(&inode->i_mapping->i_pages);
	change_nrpages(inode->i_mapping, -(long)count);
	xa_unlock_irq(&inode->i_mapping->i_pages);
	shmem_uncharge(inode, count);
}
#else
int __init seam_node_take_room(struct seam_node *node, size_t count)
{
	return true;
}

void __init seam_node_give_room(struct seam_node *node, size_t count) {}
#endif

void __init seam_node_set_size(struct seam_node *node, u64 size)
{
	struct inode *inode = to_inode(node);

	inode_lock(inode);
	i_size_write(inode, size);
	inode_unlock(inode);
}
