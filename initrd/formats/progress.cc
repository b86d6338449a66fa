// SPDX-License-Identifier: GPL-2.0

#include "initrd/formats/progress.h"

#include "initrd/seam/log.h"
#include "initrd/support/utility.h"

namespace initrd {

void Progress::tell(size_t done)
{
	constexpr size_t kNever = ~size_t{0};

	// Of a few bytes there is nothing to tell.
	if (!step_) {
		next_ = kNever;
		return;
	}
	const size_t steps = done / step_ < kSteps ? done / step_ : kSteps;

	next_ = steps < kSteps ? step_ * (steps + 1) : kNever;
	if (seam_now_ns() - started_ns_ > kNanosecondsPerSecond)
		seam_log(SEAM_LOG_INFO, "initrd: %s%s%zu%% of %zu bytes\n", what_ ?: "",
			 what_ ? ": " : "", steps * (100 / kSteps), total_);
}

} // namespace initrd
