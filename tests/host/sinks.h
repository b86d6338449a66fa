/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sinks that keep what a decoder makes. The room that they lend is a fresh block
 * of its exact size each time.
 */
#ifndef HOST_SINKS_H
#define HOST_SINKS_H

#include "fixture.h"
#include "initrd/formats/decoder.h"
#include "initrd/seam/cpus.h"

namespace host {

class KeepingSink final : public initrd::Sink {
public:
	/* Lends `extra` bytes more than wanted; fails at the given call, from 1. */
	explicit KeepingSink(size_t extra = 0, size_t fail_at = 0)
		: extra_(extra), fail_at_(fail_at)
	{
	}
	virtual ~KeepingSink() = default;

	initrd::Result<initrd::MutableBytes> lend(size_t wanted) override
	{
		EXPECT_GT(wanted, 0u);
		if (++calls == fail_at_)
			return initrd::Error{initrd::kNoSpace, "the sink is full"};
		size_ = wanted + extra_;
		room_ = std::make_unique_for_overwrite<u8[]>(size_);
		return initrd::MutableBytes(room_.get(), size_);
	}

	initrd::Result<void> commit(size_t made) override
	{
		EXPECT_GT(made, 0u);
		EXPECT_LE(made, size_);
		if (++calls == fail_at_)
			return initrd::Error{initrd::kNoSpace, "the sink is full"};
		seam_cond_resched();
		output.insert(output.end(), room_.get(), room_.get() + made);
		// A commit ends the loan.
		room_.reset();
		size_ = 0;
		return {};
	}

	Data output;
	size_t calls = 0;

private:
	std::unique_ptr<u8[]> room_;
	size_t size_ = 0;
	size_t extra_;
	size_t fail_at_;
};

/* What came of decoding `packed`, in a block of its exact size. */
struct Decoded {
	std::string reason; /* "" when there was no error */
	int code = 0;
	u64 offset = 0;
	size_t used = 0;
	Data output;
};

inline Decoded decode(initrd::Decoder decoder, const Data &packed, size_t extra = 0,
		      size_t fail_at = 0)
{
	const Exact in(packed);
	KeepingSink sink(extra, fail_at);
	auto result = decoder(in.bytes(), sink);
	Decoded decoded;

	decoded.output = sink.output;
	if (result) {
		decoded.used = result.value();
	} else {
		decoded.reason = result.error().reason;
		decoded.code = result.error().code;
		decoded.offset = result.error().offset;
	}
	return decoded;
}

} // namespace host

#endif
