/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Blocks that can be decoded without each other, decoded on several processors.
 *
 * It is optional for a decoder: one whose format has such blocks describes them
 * in a Framing and lets an Ahead decode as many as it can, before each block
 * that it would decode itself. What is odd about a block is left to the decoder,
 * so that errors are the same, at the same offset, with the same output.
 */
#ifndef INITRD_FORMATS_PARALLEL_H
#define INITRD_FORMATS_PARALLEL_H

#include "initrd/formats/buffer.h"
#include "initrd/formats/decoder.h"

namespace initrd {

/* A block as its frame describes it. */
struct Block {
	Bytes in;    /* what it is decoded from */
	size_t end;  /* offset in the input at which the next one begins */
	size_t size; /* how many bytes come out: exactly, or at most */
};

/* A block on its way: one processor at a time has it. */
struct Work {
	Bytes in;
	MutableBytes out; /* room for the block's size */
	size_t end;
	/* How many bytes came out, at its start; below 0: it was not decoded. */
	s64 made;
};

/* The blocks of one batch, for all processors. */
class WorkList {
public:
	INLINE WorkList(Span<Work> works) : works_(works) {}

	/* A block that no other processor has, or null when there is none left. */
	INLINE Work *take()
	{
		const size_t n = __atomic_fetch_add(&taken_, 1, __ATOMIC_RELAXED);

		return n < works_.size() ? works_.data() + n : nullptr;
	}

private:
	Span<Work> works_;
	size_t taken_ = 0;
};

/* How a format's blocks are found and decoded. */
class Framing {
public:
	/*
	 * Finds the block at offset `at` of `in`; false where there is none, or
	 * anything about it is odd. Reads nothing before `at`.
	 */
	virtual bool find(Bytes in, size_t at, Block &block) const = 0;
	/*
	 * Decodes blocks until there is none left, on one of several processors.
	 * Sets `made` of those that are good; one whose size is known exactly is
	 * good with that size only.
	 */
	virtual void work(WorkList &list) const = 0;

protected:
	~Framing() = default;
};

/* Decodes the blocks of `in` in batches, straight to where they belong in `out`. */
class Ahead {
public:
	INLINE Ahead(const Framing &framing, Bytes in, Sink &out)
		: framing_(framing), in_(in), out_(out)
	{
	}
	INLINE ~Ahead() {}

	/*
	 * Decodes from offset `at` of the input on, up to a block that is left to
	 * the caller; returns its offset. That is `at` where nothing can be gained:
	 * on one processor, with little memory, where fewer than two blocks follow
	 * each other. An error is the sink's.
	 */
	Result<size_t> run(size_t at);
	/* How many bytes the last block made that run() has decoded. */
	INLINE size_t last_made() const { return last_made_; }

private:
	size_t collect(size_t at);
	Result<size_t> decode(size_t at, size_t count);
	/* As many as there is memory for, whatever the number of processors is now. */
	INLINE Span<Work> works() const
	{
		// SAFETY: allocated for Work objects, which need no construction.
		return {reinterpret_cast<Work *>(list_.data()), list_.size() / sizeof(Work)};
	}

	const Framing &framing_;
	Bytes in_;
	Sink &out_;
	Buffer list_;
	size_t cpus_ = 1; /* as run() has found them */
	size_t room_ = 0; /* bytes that the batch needs */
	size_t last_made_ = 0;
	bool given_up_ = false;
};

} // namespace initrd

#endif
