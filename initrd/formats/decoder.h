/* SPDX-License-Identifier: GPL-2.0 */
/*
 * formats/: compressed bytes in memory → plain bytes in memory that a Sink lends.
 *
 * A decoder is one function of type Decoder in a file named after the option
 * that builds it (zstd.cc for CONFIG_RD_ZSTD) and one row in formats.cc.
 */
#ifndef INITRD_FORMATS_DECODER_H
#define INITRD_FORMATS_DECODER_H

#include "initrd/formats/progress.h"
#include "initrd/seam/codec.h"
#include "initrd/support/bytes.h"
#include "initrd/support/result.h"

namespace initrd {

/* Who can tell from its first bytes that a stream is not what is wanted. */
class Preview {
public:
	/* `head` is what a stream begins with. An error ends its decoding. */
	virtual Result<void> preview(Bytes head) = 0;

protected:
	~Preview() = default;
};

/* How many bytes a preview() is shown, where there are as many. */
inline constexpr size_t kPreview = size_t{4} << 10;

/*
 * Where decoded bytes go. The sink owns the memory, so that nothing is copied
 * on its way: pages of the RAM disk, or a window that the cpio reader reads.
 */
class Sink {
public:
	/*
	 * Lends room for at least `wanted` bytes, valid until the next call of
	 * the sink. What was lent before and not committed is forgotten.
	 */
	virtual Result<MutableBytes> lend(size_t wanted) = 0;
	/* Takes the first `made` bytes of the room that was lent last. */
	virtual Result<void> commit(size_t made) = 0;

	/* Lets `reading` follow the decoding of what begins at `base` of its input. */
	INLINE void follow(Reading &reading, size_t base)
	{
		reading_ = &reading;
		base_ = base;
	}
	/*
	 * From the decoder: the first `size` bytes of its input are read, and will
	 * not be looked at again: they may be gone when this returns.
	 */
	INLINE void consumed(size_t size)
	{
		if (reading_)
			reading_->reached(base_ + size);
	}

	/*
	 * Whether all output lies side by side: what was committed stays readable,
	 * right before the room that is lent.
	 */
	INLINE bool keeps() const { return keeps_; }
	/* Whether it does not matter where one member ends and the next one begins. */
	INLINE bool joins_members() const { return joins_members_; }
	/*
	 * For an Ahead: the end of what it has looked at, and left to the decoder. What
	 * lies before it is not looked at again, by none that has this sink.
	 */
	INLINE const u8 *looked_ahead() const { return looked_ahead_; }
	INLINE void set_looked_ahead(const u8 *end) { looked_ahead_ = end; }
	/*
	 * For a decoder that makes much at once: shows it what a stream begins with
	 * before it does. Null: nobody wants to see that.
	 */
	INLINE Preview *preview() const { return preview_; }

protected:
	~Sink() = default;
	/* To be called before anything is lent. */
	INLINE void set_keeps() { keeps_ = true; }
	INLINE void set_joins_members() { joins_members_ = true; }
	INLINE void set_preview(Preview &preview) { preview_ = &preview; }

private:
	Preview *preview_ = nullptr;
	const u8 *looked_ahead_ = nullptr;
	bool keeps_ = false;
	bool joins_members_ = false;
	Reading *reading_ = nullptr;
	size_t base_ = 0;
};

/*
 * Decodes one member (stream, frame) at the start of `in` into `out`, or several
 * good ones that follow each other, if the sink joins members. Returns how many
 * bytes of `in` they were made of; what follows is not decoded. An
 * error's offset counts from the start of `in`, unless it is the sink's own.
 * Input that ends too early is kNoData; the error's `expected` is then how many
 * bytes would have come out, if a header says so. A wrong checksum is
 * kBadMessage. Never reads past `in`.
 */
using Decoder = Result<size_t> (*)(Bytes in, Sink &out);

/* What a streaming decoder asks a sink for when it does not know the size. */
inline constexpr size_t kStreamRoom = size_t{128} << 10;
/*
 * The same at the start of a stream: a sink may have no use for more of it. (A file
 * system may begin with some zeros, which an archive may, too.)
 */
inline constexpr size_t kHeadRoom = 4096;

/* The reasons of a streaming decoder's errors. */
struct StreamReasons {
	const char *corrupt;
	const char *truncated;
	/* Null when its library does not tell a wrong checksum from wrong data. */
	const char *bad_checksum = nullptr;
};

/*
 * Runs a streaming codec from offset `from` of `in` to its end, for every library
 * whose step has the shape of codec.h. `Made` sees every piece of output (for
 * checksums). Returns the offset behind what was consumed; it and those of errors
 * count from the start of `in`.
 */
template <typename Step, typename Made>
INLINE Result<size_t> run_stream(Bytes in, size_t from, Sink &out, const StreamReasons &reasons,
				 Step step, Made made)
{
	seam_codec_io io = {in.data() + from, in.size() - from, nullptr, 0};
	// Where the output stays, nobody looks at its head first, and a library that
	// reads it there wants room for a whole block from its first step on.
	size_t wanted = out.keeps() ? kStreamRoom : kHeadRoom;

	for (;;) {
		MutableBytes room = TRY(out.lend(wanted));

		io.out = room.data();
		io.out_left = room.size();
		const size_t in_before = io.in_left;
		const seam_codec_status status = step(io);
		const size_t produced = room.size() - io.out_left;
		const u64 offset = in.size() - io.in_left;

		made(Bytes(room.data(), produced));
		if (produced) {
			TRY(out.commit(produced));
			wanted = kStreamRoom;
		}
		out.consumed(in.size() - io.in_left);
		switch (status) {
		case SEAM_CODEC_END:
			return in.size() - io.in_left;
		case SEAM_CODEC_MORE:
			if (produced || io.in_left != in_before)
				continue;
			if (io.in_left)
				return Error{kInvalid, reasons.corrupt, offset};
			return Error{kNoData, reasons.truncated, offset};
		case SEAM_CODEC_NO_MEMORY:
			return Error{kNoMemory, "out of memory while decompressing", offset};
		case SEAM_CODEC_UNSUPPORTED:
			return Error{kInvalid,
				     "compressed with options that the kernel does not support",
				     offset};
		case SEAM_CODEC_BAD_CHECKSUM:
			return Error{kBadMessage, reasons.bad_checksum, offset};
		case SEAM_CODEC_CORRUPT:
			return Error{kInvalid, reasons.corrupt, offset};
		}
	}
}

} // namespace initrd

#endif
