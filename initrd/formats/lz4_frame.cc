// SPDX-License-Identifier: GPL-2.0
// The LZ4 frame format, version 1.6: a header, blocks that may refer back to the
// 64 KiB before them, checksums (XXH32) where the header says so.

#include "initrd/formats/lz4_frame.h"

#include "initrd/formats/buffer.h"

namespace initrd {
namespace {

constexpr const char *kTruncated = "truncated lz4 data";
constexpr const char *kCorrupt = "LZ4-compressed data is corrupt";
constexpr const char *kBadChecksum = "bad checksum (XXH32) of lz4 data";

// The header: magic number, flags, largest block, sizes that the flags announce, and
// a byte of the XXH32 of all that is behind the magic number.
constexpr size_t kFlagsAt = 4;
constexpr size_t kBlockMaxAt = 5;
constexpr size_t kFixed = 6;
constexpr size_t kContentSize = 8;

constexpr u8 kVersionMask = 0xc0;
constexpr u8 kVersion = 0x40;
constexpr u8 kIndependent = 0x20;
constexpr u8 kBlockChecksums = 0x10;
constexpr u8 kHasContentSize = 0x08;
constexpr u8 kHasContentChecksum = 0x04;
constexpr u8 kReserved = 0x02;
constexpr u8 kHasDictionary = 0x01;

// A block: its size, with a bit that says that it is stored as it is; its data; its
// checksum. A size of 0 ends the frame.
constexpr size_t kSize = 4;
constexpr u32 kStored = 0x80000000;
constexpr size_t kChecksum = 4;

// How far back a block may refer.
constexpr size_t kReach = size_t{64} << 10;

u32 xxh32(Bytes data)
{
	seam_xxh32 sum;

	seam_xxh32_start(&sum);
	seam_xxh32_add(&sum, data.data(), data.size());
	return seam_xxh32_value(&sum);
}

struct Header {
	bool linked = false;
	bool block_checksums = false;
	bool content_checksum = false;
	bool has_content_size = false;
	u64 content_size = 0;
	size_t block_max = 0;
	size_t length = 0;
};

Result<Header> parse_header(Bytes in)
{
	Header header;

	if (!in.has(0, kFixed))
		return Error{kNoData, kTruncated, in.size()};
	const u8 flags = in[kFlagsAt];
	const u8 largest = in[kBlockMaxAt];

	if ((flags & kVersionMask) != kVersion || (flags & kReserved))
		return Error{kInvalid, "unknown version of LZ4 frames", kFlagsAt};
	// 4 to 7, for 64 KiB to 4 MiB.
	if ((largest & 0x8f) || largest < 0x40)
		return Error{kInvalid, kCorrupt, kBlockMaxAt};
	if (flags & kHasDictionary)
		return Error{kInvalid, "LZ4 frame that needs a dictionary: compress without -D",
			     kFlagsAt};
	header.linked = !(flags & kIndependent);
	header.block_checksums = flags & kBlockChecksums;
	header.content_checksum = flags & kHasContentChecksum;
	header.has_content_size = flags & kHasContentSize;
	header.block_max = size_t{1} << (8 + 2 * (largest >> 4));

	const size_t end = kFixed + (header.has_content_size ? kContentSize : 0);

	if (!in.has(end, 1))
		return Error{kNoData, kTruncated, in.size()};
	if (header.has_content_size)
		header.content_size = load_le64(in, kFixed);
	if (in[end] != static_cast<u8>(xxh32(in.first(end).skip(kFlagsAt)) >> 8))
		return Error{kBadMessage, kBadChecksum, end};
	header.length = end + 1;
	return header;
}

// The last bytes that were made, for blocks that refer to them: where they are, if the
// sink keeps them there, else a copy.
class History {
public:
	INLINE explicit History(bool kept) : kept_(kept) {}
	INLINE ~History() {}

	/* Makes room for the copy, if one is needed; kNoMemory. */
	Result<void> prepare()
	{
		if (!kept_)
			copy_ = TRY(Buffer::create(kReach));
		return {};
	}

	/* What a block whose output begins at `room` may refer to. */
	INLINE Bytes before(const u8 *room) const
	{
		return kept_ ? Bytes(room - size_, size_) : Bytes(copy_.data(), size_);
	}

	void add(Bytes made)
	{
		const size_t old = min(size_, kReach - min(kReach, made.size()));

		if (!kept_) {
			__builtin_memmove(copy_.data(), copy_.data() + size_ - old, old);
			copy(copy_.bytes().skip(old),
			     made.skip(made.size() - min(made.size(), kReach)));
		}
		size_ = min(kReach, old + made.size());
	}

private:
	bool kept_;
	Buffer copy_;
	size_t size_ = 0;
};

class Frame {
public:
	INLINE Frame(Bytes in, Sink &out, const Header &header)
		: in_(in), out_(out), header_(header), history_(out.keeps())
	{
		seam_xxh32_start(&sum_);
	}
	INLINE ~Frame() {}

	Result<size_t> decode()
	{
		size_t at = header_.length;

		if (header_.linked)
			TRY(history_.prepare());
		for (;;) {
			if (!in_.has(at, kSize))
				return truncated();
			const u32 word = load_le32(in_, at);

			if (!word)
				return finish(at + kSize);
			at = TRY(decode_block(at, word));
			out_.consumed(at);
		}
	}

private:
	INLINE Error truncated() const
	{
		return {kNoData, kTruncated, in_.size(), header_.content_size};
	}

	/* The block at offset `at`; returns that of the next one. */
	Result<size_t> decode_block(size_t at, u32 word)
	{
		const size_t size = word & ~kStored;
		const size_t check = header_.block_checksums ? kChecksum : 0;

		if (size > header_.block_max)
			return Error{kInvalid, kCorrupt, at};
		if (!in_.has(at + kSize, size + check))
			return truncated();
		const Bytes data = in_.skip(at + kSize).first(size);
		const size_t end = at + kSize + size;

		if (check && load_le32(in_, end) != xxh32(data))
			return Error{kBadMessage, kBadChecksum, end};
		if (!total_)
			TRY(show_lz4_head(data, word & kStored, out_));

		const MutableBytes room =
			TRY(out_.lend(header_.block_max)).first(header_.block_max);
		const s64 count = make(data, word & kStored, room);

		if (count < 0)
			return Error{kInvalid, kCorrupt, at};
		const Bytes made = room.first(static_cast<size_t>(count));

		total_ += made.size();
		if (header_.has_content_size && total_ > header_.content_size)
			return Error{kInvalid, "LZ4 frame holds more than its header says", at};
		if (header_.content_checksum)
			seam_xxh32_add(&sum_, made.data(), made.size());
		if (header_.linked)
			history_.add(made);
		if (!made.empty())
			TRY(out_.commit(made.size()));
		return end + check;
	}

	/* How many bytes of `room` a block makes; below 0 when it is corrupt. */
	s64 make(Bytes data, bool stored, MutableBytes room) const
	{
		if (stored)
			return static_cast<s64>(copy(room, data));
		const Bytes before = header_.linked ? history_.before(room.data()) : Bytes();

		return seam_lz4_linked_block(data.data(), data.size(), room.data(), room.size(),
					     before.data(), before.size());
	}

	Result<size_t> finish(size_t at)
	{
		if (header_.has_content_size && total_ != header_.content_size)
			return Error{kInvalid, "LZ4 frame holds less than its header says", at,
				     header_.content_size, total_};
		if (!header_.content_checksum)
			return at;
		if (!in_.has(at, kChecksum))
			return truncated();
		if (load_le32(in_, at) != seam_xxh32_value(&sum_))
			return Error{kBadMessage, kBadChecksum, at};
		return at + kChecksum;
	}

	Bytes in_;
	Sink &out_;
	const Header &header_;
	History history_;
	seam_xxh32 sum_;
	u64 total_ = 0;
};

} // namespace

Result<void> show_lz4_head(Bytes block, bool stored, Sink &out)
{
	if (!out.preview())
		return {};
	const MutableBytes room = TRY(out.lend(kPreview)).first(kPreview);
	const s64 made = stored ? static_cast<s64>(copy(room, block)) :
				  seam_lz4_head(block.data(), block.size(), room.data(),
						room.size());

	return made < 0 ? Result<void>() :
			  out.preview()->preview(room.first(static_cast<size_t>(made)));
}

Result<size_t> decode_lz4_frame(Bytes in, Sink &out)
{
	const Header header = TRY(parse_header(in));

	return Frame(in, out, header).decode();
}

} // namespace initrd
