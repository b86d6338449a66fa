// SPDX-License-Identifier: GPL-2.0
// Zstandard frames (RFC 8878). The library checks the content's checksum. Where
// the output stays readable it is its own window; and so it is where a header claims a
// window (--long=31: 2 GiB) that is larger than all that can come out.

#include "initrd/formats/buffer.h"
#include "initrd/formats/parallel.h"
#include "initrd/formats/window.h"
#include "initrd/support/owned.h"

namespace initrd {
namespace {

// No block makes more than the room that a step is given.
static_assert(kStreamRoom >= SEAM_ZSTD_ROOM);

constexpr const char *kTruncated = "truncated zstd data";

constexpr u32 kMagic = 0xfd2fb528;
// Where a frame says how large its window is, or what that follows from.
constexpr size_t kWindowAt = 4;

// A skippable frame: one of sixteen magic numbers, a length, other data.
constexpr u32 kSkippableMagic = 0x184d2a50;
constexpr size_t kSkippableHeader = 8;

// A block: its header has a flag, two bits of type and its size, or that of
// what a single byte is repeated to.
constexpr size_t kBlockHeader = 3;
constexpr u32 kLastBlock = 1;
constexpr u32 kRepeatedByte = 1;
constexpr u32 kPackedBlock = 2;
constexpr size_t kChecksum = 4;

// What a frame's header says; sizes are 0 where it does not.
struct FrameHeader {
	u64 window = 0;
	u64 content = 0;
	bool has_content = false;
	bool has_checksum = false;
	u64 dictionary = 0; // its number
	size_t dictionary_at = 0;
	size_t length = 0;
};

using Codec = Owned<seam_zstd, seam_zstd_free>;

u64 load_le(Bytes in, size_t at, size_t size)
{
	u64 value = 0;

	while (size--)
		value = value << 8 | in[at + size];
	return value;
}

Result<FrameHeader> parse_header(Bytes in)
{
	const Error truncated = {kNoData, kTruncated, in.size()};
	FrameHeader header;
	size_t at = 5;

	if (!in.has(0, at))
		return truncated;
	const u32 descriptor = in[4];
	const bool single_segment = descriptor & 0x20;
	const u32 content_flag = descriptor >> 6;
	const u32 dictionary_flag = descriptor & 3;
	const size_t dictionary_size = dictionary_flag == 3 ? 4 : dictionary_flag;
	const size_t content_size = content_flag ? size_t{1} << content_flag : single_segment;

	if (!in.has(at, !single_segment + dictionary_size + content_size))
		return truncated;
	if (!single_segment) {
		const u64 base = u64{1} << (10 + (in[at] >> 3));

		header.window = base + (base >> 3) * (in[at] & 7);
		at++;
	}
	header.dictionary = load_le(in, at, dictionary_size);
	header.dictionary_at = at;
	at += dictionary_size;
	header.content = load_le(in, at, content_size) + (content_flag == 1 ? 256 : 0);
	header.has_content = content_size;
	header.has_checksum = descriptor & 0x04;
	header.length = at + content_size;
	if (single_segment)
		header.window = header.content;
	return header;
}

bool is_skippable(Bytes in)
{
	return in.has(0, kSkippableHeader) && (load_le32(in, 0) & ~0xfu) == kSkippableMagic &&
	       in.has(kSkippableHeader, load_le32(in, 4));
}

// The offset behind all skippable frames from offset `at` on.
size_t skip_frames(Bytes in, size_t at)
{
	while (is_skippable(in.skip(at)))
		at += kSkippableHeader + load_le32(in, at + 4);
	return at;
}

// The length of the frame whose header has been read; 0 where it is not whole.
// `most` is how many bytes can come out at most, by its blocks' headers.
size_t frame_length(Bytes in, const FrameHeader &header, u64 &most)
{
	size_t at = header.length;
	u32 block;

	most = 0;
	do {
		if (!in.has(at, kBlockHeader))
			return 0;
		block = static_cast<u32>(load_le(in, at, kBlockHeader));
		at += kBlockHeader;
		const u32 type = block >> 1 & 3;
		const size_t size = type == kRepeatedByte ? 1 : block >> 3;

		if (!in.has(at, size))
			return 0;
		at += size;
		most += type == kPackedBlock ? min(header.window, u64{SEAM_ZSTD_ROOM}) : block >> 3;
	} while (!(block & kLastBlock));
	if (!header.has_checksum)
		return at;
	return in.has(at, kChecksum) ? at + kChecksum : 0;
}

// Whole frames. Those of pzstd do not say how much they hold, but their blocks do.
class ZstdFraming final : public Framing {
public:
	INLINE ~ZstdFraming() {}

	bool find(Bytes in, size_t at, Block &block) const override
	{
		at = skip_frames(in, at);
		in = in.skip(at);
		if (!in.has(0, 4) || load_le32(in, 0) != kMagic)
			return false;
		auto header = parse_header(in);

		if (!header || header.value().dictionary)
			return false;
		u64 most;
		const size_t length = frame_length(in, header.value(), most);

		if (header.value().has_content)
			most = header.value().content;
		block.in = in.first(length);
		block.end = at + length;
		block.size = static_cast<size_t>(most);
		return length && most <= kMost;
	}

	void work(WorkList &list) const override
	{
		Codec codec;

		while (Work *work = list.take()) {
			const Bytes in = work->in;
			seam_codec_status status;

			if (!codec)
				codec = Codec(seam_zstd_new(in.data(), in.size(), true, &status));
			if (codec)
				work->made = seam_zstd_frame(codec.get(), in.data(), in.size(),
							     work->out.data(), work->out.size());
		}
	}

private:
	// More is not held in memory at once anyway.
	static constexpr u64 kMost = u64{1} << 31;
};

// Keeps all that is made, and passes it on to a sink that does not.
class Whole final : public Sink, private Reading {
public:
	/* Has room for `memory`; `full` is the error when that is used up. */
	INLINE Whole(Sink &out, Buffer memory, const Error &full)
		: out_(out), memory_(move(memory)), full_(full)
	{
		set_keeps();
		follow(*this, 0);
	}
	INLINE ~Whole() {}

	Result<MutableBytes> lend(size_t wanted) override
	{
		if (memory_.size() - used_ < wanted)
			return full_;
		return memory_.bytes().skip(used_);
	}

	Result<void> commit(size_t made) override
	{
		Bytes rest = Bytes(memory_.bytes()).skip(used_).first(made);

		used_ += made;
		while (!rest.empty()) {
			const size_t n = copy(TRY(out_.lend(min(rest.size(), kStreamRoom))), rest);

			TRY(out_.commit(n));
			rest = rest.skip(n);
		}
		return {};
	}

private:
	void reached(size_t done) override { out_.consumed(done); }

	Sink &out_;
	Buffer memory_;
	size_t used_ = 0;
	Error full_;
};

// The frame whose header has been read. `out` is its window if that keeps the output.
Result<size_t> decode_frame(Bytes in, const FrameHeader &header, Sink &out)
{
	seam_codec_status status = SEAM_CODEC_CORRUPT;
	Codec codec(seam_zstd_new(in.data(), in.size(), out.keeps(), &status));

	if (!codec) {
		if (status == SEAM_CODEC_NO_MEMORY)
			return Error{kNoMemory, "ZSTD decompressor ran out of memory", 0,
				     header.window};
		if (status == SEAM_CODEC_UNSUPPORTED)
			return Error{
				kInvalid,
				"zstd frame of a larger window than this kernel's decoder takes: compress with a smaller --long",
				kWindowAt};
		return Error{kInvalid, "ZSTD-compressed data has an incomplete frame header"};
	}
	auto frame = run_stream(
		in, 0, out,
		{"ZSTD-compressed data is corrupt", kTruncated,
		 "bad checksum (XXH64) of zstd data"},
		[&](seam_codec_io &io) { return seam_zstd_step(codec.get(), &io); }, [](Bytes) {});

	if (!frame && frame.error().code == kNoData) {
		Error truncated = frame.error();

		truncated.expected = header.content;
		return truncated;
	}
	return frame;
}

// The same for a sink that does not keep it, with as much memory as is needed.
Result<size_t> decode_with_window(Bytes in, const FrameHeader &header, Sink &out)
{
	u64 most;

	frame_length(in, header, most);
	const bool whole = most < header.window;
	const u64 needed = whole ? most + SEAM_ZSTD_ROOM : header.window;
	auto fits = expect_window(needed, "out of memory for the window of zstd data", kWindowAt);

	if (fits && !whole)
		return decode_frame(in, header, out);
	// Too large: its first block all the same, which tells what it is.
	auto memory = Buffer::create(fits ? static_cast<size_t>(needed) : SEAM_ZSTD_ROOM);

	if (!memory)
		return Error{kNoMemory, "ZSTD decompressor ran out of memory", 0, needed};
	Whole sink(out, move(memory.value()),
		   fits ? Error{kInvalid, "ZSTD-compressed data is corrupt"} : fits.error());

	return decode_frame(in, header, sink);
}

} // namespace

Result<size_t> decode_zstd(Bytes in, Sink &out)
{
	if (out.joins_members()) {
		const size_t frames = TRY(Ahead(ZstdFraming(), in, out).run(0));

		if (frames)
			return frames;
	}
	if (in.has(0, 4) && (load_le32(in, 0) & ~0xfu) == kSkippableMagic) {
		const size_t end = skip_frames(in, 0);

		return end ? Result<size_t>(end) : Error{kNoData, kTruncated, in.size()};
	}

	const FrameHeader header = TRY(parse_header(in));

	if (header.dictionary)
		return Error{kInvalid, "zstd frame that needs a dictionary: compress without -D",
			     header.dictionary_at};
	return out.keeps() ? decode_frame(in, header, out) : decode_with_window(in, header, out);
}

} // namespace initrd
