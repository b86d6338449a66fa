/* SPDX-License-Identifier: GPL-2.0 */
/*
 * formats/: bytes → entries. A streaming reader of the "newc" format (070701) and
 * its variant with checksums (070702).
 *
 * The input arrives in chunks of any size; the entries do not depend on where
 * the chunks end. Field widths and padding: a header is 110 bytes of ASCII, a
 * name is padded so that header and name are a multiple of 4, data to 4.
 */
#ifndef INITRD_FORMATS_CPIO_READER_H
#define INITRD_FORMATS_CPIO_READER_H

#include "initrd/formats/buffer.h"
#include "initrd/support/bytes.h"
#include "initrd/support/result.h"

namespace initrd::cpio {

/* The bits of Entry::mode that hold a node's type, as in stat(2). */
enum Type : u32 {
	kTypeMask = 0170000,
	kFifo = 0010000,
	kCharacter = 0020000,
	kDirectory = 0040000,
	kBlock = 0060000,
	kRegular = 0100000,
	kLink = 0120000,
	kSocket = 0140000,
};

/* One entry's header. The strings live until its data has been dealt with. */
struct Entry {
	const char *name;   /* NUL-terminated, 1 to 4095 characters */
	const char *target; /* of a symbolic link, NUL-terminated; else "" */
	u32 ino;
	u32 mode;
	u32 uid;
	u32 gid;
	u32 nlink;
	u32 mtime; /* seconds since 1970; the format ends in 2106 */
	u32 size;  /* of the data, bytes */
	u32 dev_major;
	u32 dev_minor;
	u32 rdev_major;
	u32 rdev_minor;
	u32 checksum; /* sum of all data bytes; with 070702 only */
	bool has_checksum;

	INLINE u32 type() const { return mode & kTypeMask; }
};

/* Who receives the entries, in the archive's order. */
class Handler {
public:
	/*
	 * An entry. True: data() and finish() follow (for regular files). False:
	 * the entry is dealt with and its data is skipped.
	 */
	virtual Result<bool> begin(const Entry &entry) = 0;
	/* The next piece of the data, never empty. */
	virtual Result<void> data(Bytes piece) = 0;
	/*
	 * All data has arrived and its checksum, if any, was right. After an error
	 * abandon() follows.
	 */
	virtual Result<void> finish() = 0;
	/* The data is bad, incomplete or could not be taken: drop what begin() made. */
	virtual void abandon() = 0;
	/* "TRAILER!!!": later entries cannot be hard links to earlier ones. */
	virtual void trailer() = 0;

protected:
	~Handler() = default;
};

/* Archives that ended without a "TRAILER!!!". */
struct Untrailed {
	u64 count = 0;
	/* Of the first of them. */
	const char *entry = "";		  /* its last entry's name, cut off and printable */
	const char *compressed = nullptr; /* what its stream comes out of; or null */
	u64 offset = 0;			  /* in the stream, where that entry ends */
	u64 nuls = 0;			  /* bytes of NUL behind it */
	bool data_ends_in_nul = false;
};

/* How header fields are read. */
enum class Hex : u8 {
	kStrict,  /* eight hexadecimal digits; else "damaged header" */
	kLenient, /* as strtoul() does: 0x allowed, up to the first other character */
};

class Reader {
public:
	/* Allocates the buffer for one header with its names (about 12 KiB). */
	static Result<Reader> create(Handler &handler, Hex hex);
	INLINE Reader(Reader &&other) noexcept = default;
	INLINE ~Reader() {}

	/*
	 * Reads from `chunk` as far as it goes. Returns how many bytes it took:
	 * less than all only when the next byte is between entries and is
	 * neither NUL nor the '0' of a header. After an error the reader is
	 * not to be fed any more.
	 *
	 * Where archives were put together without regard to it, a header may be at
	 * an offset that is no multiple of 4, which the C code refuses. Lengths are
	 * counted from there on then, as its writer counted them; that is told.
	 */
	Result<size_t> feed(Bytes chunk);

	/* Between entries: nothing is half read. */
	INLINE bool at_boundary() const { return state_ == State::kBetween; }
	/*
	 * Between entries, or where what was to be one turned out to be none: what comes
	 * next is `offset` bytes from the start of another
	 * stream, the image itself or what comes out of `compressed`, a format's name.
	 * An archive cannot go on from one stream to the next.
	 */
	void restart_at(u64 offset, const char *compressed = nullptr);
	/* Says nothing of what is odd: it is read once more. */
	INLINE void be_quiet() { quiet_ = true; }
	/* Whether an archive has begun of which there was no "TRAILER!!!" yet. */
	INLINE bool in_archive() const { return in_archive_; }
	/* What is known of trailers that were left out; the name is the reader's. */
	INLINE const Untrailed &untrailed() const { return untrailed_; }
	/*
	 * The input ends here. In the middle of an entry that is kNoData, with the
	 * sizes of what it ends in by its header and as far as it is there, and the
	 * entry is abandoned; only padding may be missing.
	 */
	Result<void> end();

	/* Headers with the right magic number so far. */
	INLINE u64 headers() const { return headers_; }
	/* Bytes of the stream that have been read. */
	INLINE u64 offset() const { return offset_; }
	/* Where the last entry ends, its padding included, in the stream. */
	INLINE u64 entry_end() const { return next_entry_; }
	/*
	 * The name of the entry at hand, or of the last one while there is none;
	 * "" when there was none or it has not all arrived. Until the next call.
	 */
	INLINE const char *name() const
	{
		return state_ == State::kNames || !entry_.name ? "" : entry_.name;
	}
	/* Whether name() is that of an entry which has not been read to its end. */
	INLINE bool in_entry() const { return state_ == State::kData || state_ == State::kSkip; }

private:
	enum class State : u8 {
		kBetween, /* NULs up to the next header */
		kHeader,  /* collecting 110 bytes */
		kNames,	  /* collecting the name, and a link's target */
		kData,	  /* passing data on */
		kSkip,	  /* up to the next entry */
	};

	INLINE Reader(Handler &handler, Hex hex, Buffer buffer)
		: handler_(&handler), buffer_(move(buffer)), hex_(hex)
	{
	}
	void begin_header(u64 offset);
	void find_header(const u8 *padding, size_t size);
	void end_archive();
	bool collect(Bytes &chunk, MutableBytes to);
	const u8 *collect_header(Bytes &chunk);
	size_t names_size() const;
	Result<void> parse_header(const u8 *bytes);
	Result<void> parse_names(u8 *bytes);
	Result<void> pass_data(Bytes &chunk);
	Result<void> close_data();
	void give_up();
	void skip(Bytes &chunk);
	void leave_entry();
	void take(Bytes &chunk, size_t count);
	Error truncated() const;

	Handler *handler_;
	Buffer buffer_;
	Entry entry_ = {};
	u64 offset_ = 0;     /* of the next byte */
	u64 next_entry_ = 0; /* where the entry at hand ends */
	u64 entry_start_ = 0;
	u64 headers_ = 0;
	u64 nuls_ = 0; /* since the entry before */
	Untrailed untrailed_;
	const char *compressed_ = nullptr;
	size_t collected_ = 0; /* bytes in buffer_ */
	u32 name_size_ = 0;
	u32 data_left_ = 0;
	u32 sum_ = 0;
	u32 phase_ = 0; /* what the archive's offsets are, modulo 4 */
	u32 shifts_ = 0;
	u8 last_byte_ = 0; /* of the data that was passed on last */
	bool in_archive_ = false;
	bool quiet_ = false;
	State state_ = State::kBetween;
	Hex hex_;
};

} // namespace initrd::cpio

#endif
