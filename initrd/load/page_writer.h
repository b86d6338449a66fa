/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decoders' way into a RAM disk, at boot.
 */
#ifndef INITRD_LOAD_PAGE_WRITER_H
#define INITRD_LOAD_PAGE_WRITER_H

#include "initrd/formats/buffer.h"
#include "initrd/formats/decoder.h"
#include "initrd/seam/window.h"
#include "initrd/support/owned.h"
#include "ramdisk/ramdisk.h"

namespace ramdisk {

/*
 * A decoder's output, straight into pages of a disk from page number 0 on.
 * finish() gives the disk the last page; without it, that page is freed.
 *
 * Where there are addresses for as many pages as the machine has, all output
 * lies side by side, and stays readable up to finish() (Sink::keeps()). Else
 * there is one window at a time.
 */
class PageWriter final : public initrd::Sink {
public:
	explicit PageWriter(Disk &disk);
	~PageWriter();
	PageWriter(const PageWriter &) = delete;
	PageWriter &operator=(const PageWriter &) = delete;

	Result<MutableBytes> lend(size_t wanted) override;
	Result<void> commit(size_t made) override;
	/* Nothing is lent afterwards. */
	Result<void> finish();
	/*
	 * After finish(): takes away what was made behind the first `size` bytes, the
	 * rest of their last page, too, which reads as zeros then.
	 */
	Result<void> take_back(u64 size);

	/* Bytes committed so far. */
	INLINE u64 size() const { return size_; }

private:
	using Range = initrd::Owned<ramdisk_range, ramdisk_range_free>;

	Result<void> open_window(size_t count);
	Result<void> close_window();
	Result<void> map(size_t count);
	Result<void> make_list(size_t count);
	ramdisk_page **pages() const;
	void drop_pages();

	Disk &disk_;
	/* Where all output goes, or null: each window gets an address of its own. */
	Range range_;
	/* The window: pages()[0, count_), mapped at window_, used_ bytes written. */
	initrd::Buffer page_list_;
	u8 *window_ = nullptr;
	size_t count_ = 0;
	size_t used_ = 0;
	u64 first_ = 0; /* the page number of the window's first page */
	u64 size_ = 0;
};

} // namespace ramdisk

#endif
