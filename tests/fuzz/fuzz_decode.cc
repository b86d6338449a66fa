// SPDX-License-Identifier: GPL-2.0
// The decoders: the same from every sink, on one processor and on several, as the
// formats' own libraries read it, and with no look at what is gone.

#include <algorithm>

#include "collector.h"
#include "initrd/formats/formats.h"
#include "reference.h"
#include "target.h"

namespace {

using namespace initrd;
using fuzz::Collector;
using host::Data;

// More than any window or batch needs here.
constexpr u64 kMemory = u64{24} << 20;

// What has been read is gone: ASan sees who looks at it again.
class Gone final : public Reading {
public:
	explicit Gone(Bytes in) : in_(in) {}
	virtual ~Gone() { ASAN_UNPOISON_MEMORY_REGION(in_.data(), in_.size()); }

	void reached(size_t done) override
	{
		EXPECT_GE(done, done_);
		ASSERT_LE(done, in_.size());
		done_ = done;
		ASAN_POISON_MEMORY_REGION(in_.data(), done);
	}

private:
	Bytes in_;
	size_t done_ = 0;
};

struct Decoded {
	Error error = {0, ""};
	u64 offset = 0; // in the whole input: of the error, or behind the last member
	Data output;
	size_t first_member = 0; // its output
	bool full = false;	 // the sink was
};

// All members that follow each other, as boot decodes them.
Decoded decode(const Data &image, const Collector::Rules &rules, size_t cpus,
	       uint64_t failing_allocation = 0)
{
	const host::Exact exact(image);
	Gone gone(exact.bytes());
	Collector sink(rules);
	Decoded decoded;
	size_t at = 0;

	host::set_cpus(cpus);
	host::fail_allocation(failing_allocation);
	const Format *const format = identify_compressed(exact.bytes());

	for (const Format *next = format; next && next->decode == format->decode;) {
		sink.follow(gone, at);
		auto member = format->decode(exact.bytes().skip(at), sink);

		if (!decoded.first_member)
			decoded.first_member = sink.size();
		if (!member) {
			decoded.error = member.error();
			at += member.error().offset;
			break;
		}
		EXPECT_GT(member.value(), 0u);
		at += member.value();
		EXPECT_LE(at, image.size());
		next = identify_compressed(exact.bytes().skip(at));
	}
	host::fail_allocation(0);
	host::set_cpus(1);
	decoded.offset = at;
	decoded.output = sink.output();
	decoded.full = sink.was_full();
	return decoded;
}

bool is_prefix(const Data &part, const Data &whole)
{
	return part.size() <= whole.size() && std::equal(part.begin(), part.end(), whole.begin());
}

void expect_same(const Decoded &a, const Decoded &b)
{
	// The last room that is asked for depends on the way.
	if (a.full || b.full) {
		EXPECT_TRUE(is_prefix(a.output, b.output) || is_prefix(b.output, a.output));
		return;
	}
	EXPECT_EQ(a.error.code, b.error.code) << a.error.reason << ", " << b.error.reason;
	EXPECT_STREQ(a.error.reason, b.error.reason);
	EXPECT_EQ(a.offset, b.offset);
	EXPECT_EQ(a.error.expected, b.error.expected);
	EXPECT_EQ(a.output.size(), b.output.size());
	EXPECT_TRUE(a.output == b.output);
}

// A sink of another kind makes no other end. Only where exactly a library finds an
// error depends on the room that it has; and a window is memory, which may be lacking.
void expect_same_end(const Decoded &window, const Decoded &kept)
{
	if (window.error.code == kNoMemory)
		return;
	if (!window.error.code || window.full || kept.full) {
		expect_same(window, kept);
		return;
	}
	EXPECT_EQ(window.error.code, kept.error.code)
		<< window.error.reason << ", " << kept.error.reason;
	EXPECT_TRUE(is_prefix(window.output, kept.output) || is_prefix(kept.output, window.output));
}

} // namespace

void fuzz::try_input(FuzzedDataProvider &input)
{
	const Data image = input.ConsumeRemainingBytes<u8>();
	const Format *const format = identify_compressed(host::bytes_of(image));

	if (!format)
		return;
	host::set_memory_limit(kMemory);
	host::set_memory_available(kMemory);

	const Decoded window = decode(image, {}, 1);
	const Decoded kept = decode(image, {.keeps = true, .joins = true}, 1);

	expect_same(window, decode(image, {.previews = true}, 4));
	expect_same_end(window, decode(image, {.extra = 4097}, 1));
	expect_same(kept, decode(image, {.keeps = true, .joins = true}, 4));
	expect_same_end(window, kept);
	if (!window.error.code)
		if (const auto theirs = fuzz::reference(format->name, image))
			EXPECT_TRUE(is_prefix(*theirs, window.output)) << format->name;

	// Without memory there is less, and nothing else.
	const Decoded poor = decode(image, {.keeps = true, .joins = true}, 2, 1 + image.size() % 7);

	EXPECT_TRUE(is_prefix(poor.output, kept.output) || kept.full);
}
