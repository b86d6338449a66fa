/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reading of an image, of which nobody wants to see again what has been read.
 */
#ifndef INITRD_IMAGE_READING_H
#define INITRD_IMAGE_READING_H

#include "initrd/formats/progress.h"
#include "initrd/image/region.h"

namespace initrd {

/*
 * Shows how far it is, and gives back the memory of what has been read, where
 * `region` allows it (Region::allow_release()).
 */
class ImageReading final : public Reading {
public:
	/*
	 * Of `image`, which lies in `region` if that is to be given back; `what` it is,
	 * if not the boot loader's.
	 */
	INLINE ImageReading(Bytes image, Region &region, u64 started_ns, const char *what = nullptr)
		: image_(image), region_(region), progress_(image.size(), started_ns, what)
	{
	}
	INLINE ~ImageReading() {}

	void reached(size_t done) override;

	/* Nothing from `offset` on is given back before let_go(). */
	INLINE void hold(size_t offset) { held_ = offset; }
	INLINE void let_go() { held_ = ~size_t{0}; }

private:
	Bytes image_;
	Region &region_;
	Progress progress_;
	size_t held_ = ~size_t{0};
};

} // namespace initrd

#endif
