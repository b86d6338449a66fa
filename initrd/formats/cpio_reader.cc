// SPDX-License-Identifier: GPL-2.0

#include "initrd/formats/cpio_reader.h"

#include "initrd/seam/log.h"
#include "initrd/support/parse.h"
#include "initrd/support/text.h"

namespace initrd::cpio {
namespace {

constexpr size_t kHeaderSize = 110;
constexpr size_t kMagicSize = 6;
constexpr size_t kFieldSize = 8;
constexpr size_t kFields = 13;
constexpr size_t kPathMax = 4096; // with its NUL, as in the kernel

// The space that a name takes: header and name are a multiple of 4 together.
constexpr u64 padded_name(u64 size)
{
	return round_up(kHeaderSize + size, u64{4}) - kHeaderSize;
}

constexpr size_t kNamesMax = padded_name(kPathMax) + kPathMax + 1;
// A header that comes in pieces is put together behind the names of the entry
// before, which messages may still need.
constexpr size_t kHeaderAt = kNamesMax;
// The name in untrailed_.
constexpr size_t kKeptNameAt = kHeaderAt + kHeaderSize;
constexpr size_t kKeptName = 192;
constexpr size_t kBufferSize = kKeptNameAt + kKeptName;

// Of archives at odd offsets so many are told.
constexpr u32 kMostTold = 8;

// Eight hexadecimal digits, each looked at in its byte of one word; false when
// they are not that.
bool parse_digits(Bytes text, u32 &value)
{
	constexpr u64 kOnes = 0x0101010101010101;
	constexpr u64 kTops = kOnes * 0x80;
	const u64 word = load_be64(text, 0);
	const u64 lower = word | kOnes * 0x20;
	// A byte's top bit, in the sum of each pair: whether it is at least so much.
	const u64 digits = (word + kOnes * (0x80 - '0')) & ~(word + kOnes * (0x80 - '9' - 1));
	const u64 letters = (lower + kOnes * (0x80 - 'a')) & ~(lower + kOnes * (0x80 - 'f' - 1));

	if ((word & kTops) || ((digits | letters) & kTops) != kTops)
		return false;
	u64 nibbles = (word & kOnes * 0x0f) + ((letters & kTops) >> 7) * 9;

	nibbles = (nibbles | nibbles >> 4) & 0x00ff00ff00ff00ff;
	nibbles = (nibbles | nibbles >> 8) & 0x0000ffff0000ffff;
	value = static_cast<u32>(nibbles | nibbles >> 16);
	return true;
}

// One field of eight characters; false when it is not a number.
bool parse_field(Bytes text, Hex hex, u32 &value)
{
	size_t i = 0;

	if (parse_digits(text, value))
		return true;
	if (hex == Hex::kStrict)
		return false;
	value = 0;
	if (text[0] == '0' && (text[1] | 0x20) == 'x' &&
	    digit_value(static_cast<char>(text[2])) < 16)
		i = 2;
	for (; i < kFieldSize; i++) {
		const u32 digit = digit_value(static_cast<char>(text[i]));

		if (digit >= 16)
			break;
		value = value << 4 | digit;
	}
	return true;
}

} // namespace

Result<Reader> Reader::create(Handler &handler, Hex hex)
{
	return Reader(handler, hex, TRY(Buffer::create(kBufferSize)));
}

void Reader::restart_at(u64 offset, const char *compressed)
{
	end_archive();
	offset_ = offset;
	state_ = State::kBetween;
	collected_ = 0;
	compressed_ = compressed;
	phase_ = 0;
	nuls_ = 0;
}

// What has begun has ended: without a trailer, where it has begun.
void Reader::end_archive()
{
	if (!in_archive_)
		return;
	in_archive_ = false;
	if (untrailed_.count++)
		return;
	char *const kept = reinterpret_cast<char *>(buffer_.data() + kKeptNameAt);

	copy_printable(kept, kKeptName, name(), ~size_t{0});
	untrailed_.entry = kept;
	untrailed_.compressed = compressed_;
	untrailed_.offset = offset_ - nuls_;
	untrailed_.nuls = nuls_;
	untrailed_.data_ends_in_nul = entry_.type() == kRegular && entry_.size && !last_byte_;
}

void Reader::take(Bytes &chunk, size_t count)
{
	chunk = chunk.skip(count);
	offset_ += count;
}

// Moves bytes of the chunk into `to` until it is full; false while it is not.
bool Reader::collect(Bytes &chunk, MutableBytes to)
{
	const size_t n = copy(to.skip(collected_), chunk);

	collected_ += n;
	take(chunk, n);
	if (collected_ < to.size())
		return false;
	collected_ = 0;
	return true;
}

// The header in one piece, or null while it has not all arrived. It is left in
// the chunk where it lies in it whole.
const u8 *Reader::collect_header(Bytes &chunk)
{
	const MutableBytes to = buffer_.bytes().skip(kHeaderAt).first(kHeaderSize);

	if (collected_ == 0 && chunk.size() >= kHeaderSize) {
		const u8 *const whole = chunk.data();

		take(chunk, kHeaderSize);
		return whole;
	}
	return collect(chunk, to) ? to.data() : nullptr;
}

// What follows the header: the padded name and, for a link, its target.
size_t Reader::names_size() const
{
	return padded_name(name_size_) + (entry_.type() == kLink ? entry_.size : 0);
}

Result<size_t> Reader::feed(Bytes chunk)
{
	const size_t whole = chunk.size();

	while (!chunk.empty() || (state_ == State::kData && data_left_ == 0)) {
		switch (state_) {
		case State::kBetween: {
			const size_t nuls = leading_zeros(chunk);

			nuls_ += nuls;
			take(chunk, nuls);
			if (chunk.empty())
				break;
			if (chunk[0] != '0')
				return whole - chunk.size();
			begin_header(offset_);
			break;
		}
		case State::kHeader:
			if (const u8 *bytes = collect_header(chunk))
				TRY(parse_header(bytes));
			break;
		case State::kNames:
			// There is room for the target's NUL behind it.
			if (!collect(chunk, buffer_.bytes().first(names_size())))
				break;
			TRY(parse_names(buffer_.data()));
			if (!in_archive_)
				find_header(buffer_.data() + name_size_,
					    static_cast<size_t>(padded_name(name_size_)) -
						    name_size_);
			break;
		case State::kData:
			TRY(pass_data(chunk));
			break;
		case State::kSkip:
			skip(chunk);
			break;
		}
	}
	return whole;
}

// A header begins here, which may be another archive's.
void Reader::begin_header(u64 offset)
{
	const u32 phase = static_cast<u32>(offset % 4);

	if (nuls_)
		end_archive();
	nuls_ = 0;
	entry_start_ = offset;
	state_ = State::kHeader;
	if (phase == phase_)
		return;
	phase_ = phase;
	if (!phase || quiet_ || shifts_++ >= kMostTold)
		return;
	seam_log(
		SEAM_LOG_WARNING,
		"initrd: cpio archive at offset %llu%s%s%s, which is no multiple of 4: taken, but the C code refuses it (pad what comes before it with NULs)\n",
		offset, compressed_ ? " of the unpacked " : "", compressed_ ?: "",
		compressed_ ? " data" : "");
}

// Where the trailer's padding was left out, the next archive's header is in its place.
void Reader::find_header(const u8 *padding, size_t size)
{
	constexpr u8 kStart[] = {'0', '7', '0'};
	const size_t nuls = leading_zeros(Bytes(padding, size));
	const size_t found = size - nuls;

	if (entry_.size || !found || __builtin_memcmp(padding + nuls, kStart, found))
		return;
	__builtin_memcpy(buffer_.data() + kHeaderAt, padding + nuls, found);
	collected_ = found;
	begin_header(offset_ - found);
}

Result<void> Reader::parse_header(const u8 *bytes)
{
	const Bytes header(bytes, kHeaderSize);
	u32 fields[kFields];

	if (!holds(header, 0, "070701") && !holds(header, 0, "070702"))
		return Error{kInvalid,
			     holds(header, 0, "070707") ?
				     "incorrect cpio method used: use -H newc option" :
				     "no cpio magic",
			     entry_start_};
	for (size_t i = 0; i < kFields; i++)
		if (!parse_field(header.skip(kMagicSize + i * kFieldSize), hex_, fields[i]))
			return Error{kInvalid, "damaged header", entry_start_};
	headers_++;
	in_archive_ = true;
	last_byte_ = 1;
	entry_ = {
		.name = "",
		.target = "",
		.ino = fields[0],
		// The format has 32 bits for it; the kernel's mode has 16.
		.mode = fields[1] & 0xffff,
		.uid = fields[2],
		.gid = fields[3],
		.nlink = fields[4],
		.mtime = fields[5],
		.size = fields[6],
		.dev_major = fields[7],
		.dev_minor = fields[8],
		.rdev_major = fields[9],
		.rdev_minor = fields[10],
		.checksum = fields[12],
		.has_checksum = bytes[kMagicSize - 1] == '2',
	};
	name_size_ = fields[11];
	next_entry_ = offset_ + padded_name(name_size_) + round_up(u64{entry_.size}, u64{4});

	const bool regular = entry_.type() == kRegular;
	const bool link = entry_.type() == kLink;

	// Passed over without a word: no name, too long a name or target, or data
	// of what can have none.
	if (name_size_ == 0 || name_size_ > kPathMax || (link && entry_.size > kPathMax) ||
	    (entry_.size && !regular && !link))
		leave_entry();
	else
		state_ = State::kNames;
	return {};
}

// `bytes`: the padded name and, for a link, its target; with room for a NUL.
Result<void> Reader::parse_names(u8 *bytes)
{
	if (bytes[name_size_ - 1] != 0) {
		char name[192];

		copy_printable(name, sizeof(name), reinterpret_cast<const char *>(bytes),
			       static_cast<size_t>(name_size_));
		seam_log(SEAM_LOG_ERR, "initramfs %s without nulterm: %s\n",
			 entry_.type() == kLink ? "symlink" : "name", name);
		return Error{kInvalid, "malformed archive", entry_start_};
	}
	// SAFETY: NUL-terminated inside the buffer, as was just checked.
	entry_.name = reinterpret_cast<const char *>(bytes);
	leave_entry();
	if (entry_.type() == kLink) {
		u8 *const target = bytes + padded_name(name_size_);

		target[entry_.size] = 0;
		entry_.target = reinterpret_cast<const char *>(target);
	} else if (same_text(entry_.name, "TRAILER!!!")) {
		in_archive_ = false;
		handler_->trailer();
		return {};
	}
	if (TRY(handler_->begin(entry_)) && entry_.type() == kRegular) {
		data_left_ = entry_.size;
		sum_ = 0;
		state_ = State::kData;
	}
	return {};
}

Result<void> Reader::pass_data(Bytes &chunk)
{
	const Bytes piece = chunk.first(data_left_);

	if (!piece.empty()) {
		if (entry_.has_checksum)
			for (u8 byte : piece)
				sum_ += byte;
		auto passed = handler_->data(piece);

		if (!passed) {
			give_up();
			return passed.error().after(offset_);
		}
		last_byte_ = piece[piece.size() - 1];
		data_left_ -= static_cast<u32>(piece.size());
		take(chunk, piece.size());
	}
	return data_left_ ? Result<void>() : close_data();
}

Result<void> Reader::close_data()
{
	if (entry_.has_checksum && sum_ != entry_.checksum) {
		give_up();
		return Error{kBadMessage, "bad data checksum", entry_start_};
	}
	auto finished = handler_->finish();

	if (!finished) {
		give_up();
		return finished.error().after(offset_);
	}
	leave_entry();
	return {};
}

// The rest of the data is of no use; the entry stays the one at hand.
void Reader::give_up()
{
	state_ = State::kSkip;
	handler_->abandon();
}

void Reader::skip(Bytes &chunk)
{
	const u64 left = next_entry_ - offset_;

	take(chunk, left < chunk.size() ? static_cast<size_t>(left) : chunk.size());
	leave_entry();
}

// Nothing more is wanted of this entry: on to its end, or past it.
void Reader::leave_entry()
{
	state_ = offset_ == next_entry_ ? State::kBetween : State::kSkip;
}

Result<void> Reader::end()
{
	// Padding that was left out behind the last name or data is no loss.
	if (state_ == State::kNames && entry_.size == 0 && collected_ >= name_size_) {
		collected_ = 0;
		TRY(parse_names(buffer_.data()));
		if (state_ == State::kData)
			TRY(close_data());
		end_archive();
		return {};
	}
	if (state_ == State::kBetween || (state_ == State::kSkip && next_entry_ - offset_ < 4)) {
		end_archive();
		return {};
	}
	const Error error = truncated();

	if (state_ == State::kData)
		give_up();
	return error;
}

// With the sizes of what the input ends in: a header, a name, or data.
Error Reader::truncated() const
{
	const u64 name_start = entry_start_ + kHeaderSize;
	const u64 data_start = name_start + padded_name(name_size_);
	u64 expected;
	u64 there;

	if (state_ == State::kHeader) {
		expected = kHeaderSize;
		there = collected_;
	} else if (offset_ - name_start < name_size_) {
		expected = name_size_;
		there = offset_ - name_start;
	} else {
		expected = entry_.size;
		there = offset_ > data_start ? offset_ - data_start : 0;
	}
	return {kNoData, "truncated archive", offset_, expected, there};
}

} // namespace initrd::cpio
