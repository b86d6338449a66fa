/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How far the reading of an input is: who is told, and what the console shows
 * of a load that takes long.
 */
#ifndef INITRD_FORMATS_PROGRESS_H
#define INITRD_FORMATS_PROGRESS_H

#include "initrd/support/compiler.h"
#include "initrd/support/types.h"

namespace initrd {

/* Who is told how much of an input has been read. */
class Reading {
public:
	/* The first `done` bytes of the input have been read for good. */
	virtual void reached(size_t done) = 0;

protected:
	~Reading() = default;
};

/*
 * One load: says, in steps of 10 % of its input, how far it is, from its first
 * second on. That is ten lines at most, and none for a load that is quick. The
 * clock is read once in every tenth of the input.
 */
class Progress {
public:
	/*
	 * Of `total` bytes of input; the time counts from `started_ns`. `what` says what
	 * the input is, where that is not the boot loader's image; or null.
	 */
	INLINE Progress(size_t total, u64 started_ns, const char *what = nullptr)
		: total_(total),
		  step_(total / kSteps),
		  next_(step_),
		  started_ns_(started_ns),
		  what_(what)
	{
	}

	/* The first `done` bytes of the input are read. Cheap: a comparison. */
	INLINE void reached(size_t done)
	{
		if (done >= next_)
			tell(done);
	}

private:
	static constexpr size_t kSteps = 10;

	void tell(size_t done);

	size_t total_;
	size_t step_; /* a tenth of the input, bytes */
	size_t next_; /* at how many bytes the clock is to be looked at */
	u64 started_ns_;
	const char *what_;
};

} // namespace initrd

#endif
