// SPDX-License-Identifier: GPL-2.0

#include "initrd/image/reading.h"

namespace initrd {

void ImageReading::reached(size_t done)
{
	progress_.reached(done);
	region_.release_before(image_.data() + min(done, held_));
}

} // namespace initrd
