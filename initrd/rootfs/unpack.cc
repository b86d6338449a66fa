// SPDX-License-Identifier: GPL-2.0

#include "initrd/rootfs/unpack.h"

#include "initrd/formats/cpio_reader.h"
#include "initrd/formats/decoder.h"
#include "initrd/formats/formats.h"
#include "initrd/formats/segments.h"
#include "initrd/image/reading.h"
#include "initrd/rootfs/writer.h"
#include "initrd/seam/cpus.h"
#include "initrd/seam/log.h"
#include "initrd/seam/policy.h"
#include "initrd/support/text.h"

namespace initrd::rootfs {
namespace {

// The reader's word for it, and mainline's.
constexpr const char *kNoMagic = "no cpio magic";

bool is_no_archive(const Error &error)
{
	return error.reason && same_text(error.reason, kNoMagic);
}

// Lends a window to a decoder and lets the cpio reader read what comes.
class ReaderSink final : public Sink, private Preview {
public:
	/* `headers`: those that the reader had seen when the segment began. */
	INLINE ReaderSink(cpio::Reader &reader, ImageReading &reading, u64 headers)
		: reader_(reader), reading_(reading), headers_(headers)
	{
		set_preview(*this);
	}
	INLINE ~ReaderSink() {}

	Result<MutableBytes> lend(size_t wanted) override
	{
		if (window_.size() < wanted) {
			// The old window first: both together may be too much.
			window_ = Buffer();
			window_ = TRY(Buffer::create(wanted));
		}
		return window_.bytes();
	}

	Result<void> commit(size_t made) override
	{
		seam_cond_resched();
		return read(window_.bytes().first(made));
	}

	/* What the reader refused, with its offset in what was decoded; code 0: nothing. */
	INLINE const Error &refused() const { return refused_; }

	/* Says what came out behind a whole archive, if anything did. */
	void tell_ignored(const char *compressor) const
	{
		if (ignored_)
			tell_junk_inside(compressor, reader_.offset(), ignored_,
					 Bytes(head_, sizeof(head_))
						 .first(min<u64>(ignored_, sizeof(head_))));
	}

private:
	// Lets the reader see the first byte that it would refuse: an image's, mostly.
	Result<void> preview(Bytes head) override
	{
		const size_t zeros = leading_zeros(head);

		if (!reader_.at_boundary() || zeros == head.size() || head[zeros] == '0')
			return {};
		return read(head.first(zeros + 1));
	}

	Result<void> read(Bytes piece)
	{
		if (ignored_)
			return ignore(piece);
		auto read = reader_.feed(piece);
		const bool is_archive = reader_.headers() != headers_;

		// Its beginning will not be wanted again.
		if (is_archive)
			reading_.let_go();
		if (!read)
			return failed(read.error());
		if (read.value() == piece.size())
			return {};
		if (is_archive && !reader_.in_archive())
			return ignore(piece.skip(read.value()));
		return failed({kInvalid, is_archive ? "junk within compressed archive" : kNoMagic,
			       reader_.offset()});
	}

	// The archives before are whole: nothing of them is lost with it.
	Result<void> ignore(Bytes piece)
	{
		if (ignored_ < sizeof(head_))
			(void)copy(MutableBytes(head_, sizeof(head_))
					   .skip(static_cast<size_t>(ignored_)),
				   piece);
		ignored_ += piece.size();
		return {};
	}

	Result<void> failed(const Error &error)
	{
		refused_ = error;
		return error;
	}

	cpio::Reader &reader_;
	ImageReading &reading_;
	u64 headers_;
	Buffer window_;
	Error refused_ = {0, nullptr};
	u64 ignored_ = 0;
	u8 head_[64] = {}; // of what is ignored
};

// The message is composed once, at boot, when nobody else does.
constinit char not_configured[64] = {};

const char *name_missing(const char *compressor)
{
	constexpr char before[] = "compression method ";
	constexpr char after[] = " not configured";
	MutableBytes to(reinterpret_cast<u8 *>(not_configured), sizeof(not_configured) - 1);
	const auto append = [&to](const char *text) {
		to = to.skip(copy(
			to, Bytes(reinterpret_cast<const u8 *>(text), __builtin_strlen(text))));
	};

	append(before);
	append(compressor);
	append(after);
	to[0] = 0; // another name may have been longer
	return not_configured;
}

// One image on its way into the root file system.
class Unpacking {
public:
	INLINE Unpacking(Bytes image, Region &region, cpio::Reader &reader, Unpacked &report,
			 size_t base, bool quiet = false)
		: image_(image),
		  reader_(reader),
		  report_(report),
		  reading_(image, region, seam_now_ns(), report.trouble.where),
		  base_(base),
		  quiet_(quiet)
	{
	}

	Result<void> run();

private:
	Result<void> plain_segment();
	Result<bool> compressed_segment(const Format &format);
	Result<void> member(const Format &format, u64 headers);
	Error unknown();
	size_t archive_end() const;
	bool find_file_system();
	bool pass_boot_configuration();
	bool is_something_else(size_t at);
	void reached();
	Trouble &trouble() const { return report_.trouble; }

	Bytes image_;
	cpio::Reader &reader_;
	Unpacked &report_;
	ImageReading reading_;
	size_t base_; // where the image is in what the boot loader left
	bool quiet_;
	size_t at_ = 0; // where in the image
	// Of the segment at hand: where it begins, and the headers that were before it.
	size_t start_ = 0;
	u64 headers_ = 0;
};

Result<void> Unpacking::run()
{
	while (at_ < image_.size()) {
		TRY(plain_segment());
		if (at_ == image_.size())
			break;
		report_.end = at_;
		if (reader_.headers() && find_file_system())
			return {};
		const Format *const format = identify_compressed(image_.skip(at_));

		if (format) {
			if (!TRY(compressed_segment(*format)))
				return {};
		} else if (!reader_.headers()) {
			return unknown();
		} else if (!pass_boot_configuration()) {
			return reader_.in_archive() ? unknown() : Result<void>();
		}
	}
	report_.end = image_.size();
	return reader_.end();
}

// What comes next is neither an archive nor compressed.
Error Unpacking::unknown()
{
	trouble().error = {kUnknownFormat, "invalid magic at start of compressed archive", at_};
	trouble().head = image_.skip(at_);
	return trouble().error;
}

// Where the last archive ends: what follows it may begin with NULs.
size_t Unpacking::archive_end() const
{
	return reader_.headers() == headers_ ? start_ :
					       min(static_cast<size_t>(reader_.entry_end()), at_);
}

// A file system image, which is not for the root file system.
bool Unpacking::find_file_system()
{
	report_.follows = initrd::find_file_system(image_, archive_end(), at_, report_.end);
	return report_.follows;
}

// One that a loader has put something behind: nobody looks for it there.
bool Unpacking::pass_boot_configuration()
{
	const size_t end = find_boot_configuration(image_, archive_end(), at_);

	if (!end)
		return false;
	if (!quiet_)
		tell_boot_configuration(base_ + at_, end - at_);
	at_ = end;
	return true;
}

// Whether what begins at `at` like an archive is one of these two; then it is next.
bool Unpacking::is_something_else(size_t at)
{
	const size_t before = at_;
	size_t start;

	at_ = at;
	if (initrd::find_file_system(image_, archive_end(), at, start) ||
	    find_boot_configuration(image_, archive_end(), at))
		return true;
	at_ = before;
	return false;
}

// What has been read for good: NULs behind an archive may be an image's.
void Unpacking::reached()
{
	size_t end = at_;

	if (reader_.at_boundary())
		end = max(archive_end(), at_ - min(at_, kImageHead));
	reading_.reached(end);
}

// Entries up to the end, or to a byte that does not belong to any.
Result<void> Unpacking::plain_segment()
{
	// So much at once that progress is seen, and hardly any entry is cut.
	constexpr size_t kPiece = size_t{1} << 20;
	size_t taken;
	Bytes piece;

	reader_.restart_at(at_);
	headers_ = reader_.headers();
	start_ = at_;
	do {
		piece = image_.skip(at_).first(kPiece);
		auto fed = reader_.feed(piece);

		// A damaged archive, or something else that begins with that digit.
		if (!fed && is_no_archive(fed.error()) && reader_.headers() &&
		    is_something_else(static_cast<size_t>(fed.error().offset)))
			return {};
		taken = TRY(move(fed));
		at_ += taken;
		reached();
	} while (taken == kPiece);
	return {};
}

// All members of one stream: they follow each other inside an entry, too. False where
// it holds no archive, and there were some before: it is an image then.
Result<bool> Unpacking::compressed_segment(const Format &format)
{
	const Format *next;

	headers_ = reader_.headers();
	reader_.restart_at(0, format.name);
	reading_.hold(at_);
	do {
		auto decoded = member(format, headers_);

		if (!decoded && headers_ && reader_.headers() == headers_ && trouble().inside &&
		    is_no_archive(trouble().error)) {
			trouble() = Trouble();
			report_.follows = &format;
			return false;
		}
		TRY(move(decoded));
		next = identify_compressed(image_.skip(at_));
	} while (!reader_.at_boundary() && next && next->decode == format.decode);
	reading_.let_go();
	report_.compressor = format.name;
	report_.decoded += reader_.offset();
	if (reader_.at_boundary())
		return true;

	// Mainline's word for an archive that ends too early. Only padding may be
	// missing of one that the reader does not mind.
	auto ended = reader_.end();
	const Error junk = {kInvalid, "junk at the end of compressed archive", reader_.offset()};

	trouble().error = ended ? junk : ended.error();
	trouble().compressed = &format;
	trouble().inside = true;
	return junk;
}

// One compressed member.
Result<void> Unpacking::member(const Format &format, u64 headers)
{
	ReaderSink sink(reader_, reading_, headers);

	trouble().compressed = &format;
	if (!format.decode) {
		trouble().error = {kNotSupported, name_missing(format.name), at_};
		return trouble().error;
	}
	sink.follow(reading_, at_);
	auto decoded = format.decode(image_.skip(at_), sink);

	if (!decoded) {
		trouble().inside = sink.refused().code;
		trouble().error = trouble().inside ? sink.refused() : decoded.error().after(at_);
		trouble().came_out = reader_.offset();
		const int code = trouble().error.code;

		return Error{code == kNoData ? kInvalid : code, trouble().error.reason,
			     trouble().error.offset};
	}
	at_ += decoded.value();
	trouble().compressed = nullptr;
	if (!quiet_)
		sink.tell_ignored(format.name);
	return {};
}

// Notes the names in an archive, and takes nothing of it.
class Finder final : public cpio::Handler {
public:
	/* `init` may be null. `one`: the first entry is enough. */
	INLINE Finder(const char *init, bool one) : init_(init), one_(one) {}

	Result<bool> begin(const cpio::Entry &entry) override
	{
		const bool is_program = entry.type() == cpio::kRegular && (entry.mode & 0111);

		contents.entries++;
		if (init_ && same_text(plain_name(entry.name), plain_name(init_)))
			contents.holds_init = is_program || entry.type() == cpio::kLink;
		if (one_)
			return Error{kExists, "seen enough"};
		return false;
	}
	Result<void> data(Bytes) override { return {}; }
	Result<void> finish() override { return {}; }
	void abandon() override {}
	void trailer() override {}

	Contents contents;

private:
	// "/init" and "./init" are "init".
	static const char *plain_name(const char *name)
	{
		while (*name == '/' || (name[0] == '.' && name[1] == '/'))
			name++;
		return name;
	}

	const char *init_;
	bool one_;
};

Result<cpio::Reader> reader_for(cpio::Handler &handler)
{
	return cpio::Reader::create(handler,
				    seam_strict_hex() ? cpio::Hex::kStrict : cpio::Hex::kLenient);
}

// Small archives of some loaders have no trailer; nor has one that was cut off.
void tell_untrailed(const char *where, const cpio::Untrailed &ended)
{
	const char *const inside = ended.compressed;

	seam_log(
		SEAM_LOG_NOTICE,
		"initrd: %s%sarchive ends without TRAILER!!! at offset %llu%s%s%s, after %s%s, with %llu NULs behind it%s: iPXE, GRUB and SYSLINUX leave it out; one that was cut off and filled up with NULs ends like this, too\n",
		where ?: "", where ? ": " : "", ended.offset, inside ? " of the unpacked " : "",
		inside ?: "", inside ? " data" : "", ended.entry,
		ended.data_ends_in_nul ? " (its data end in NULs)" : "", ended.nuls,
		ended.count > 1 ? " (and others do)" : "");
}

// What was odd about links, in a line for each kind.
void tell_links(LinkTable &links)
{
	const Tally &collisions = links.collisions();
	const Tally &targetless = links.targetless();

	if (collisions.count())
		seam_log(
			links.doubtful() ? SEAM_LOG_WARNING : SEAM_LOG_NOTICE,
			"initrd: %llu files have the inode number of another one, %s the first: told apart by owner, time, size and number of links, %llu of these without data\n",
			collisions.count(), collisions.first(), links.doubtful());
	if (targetless.count())
		seam_log(
			SEAM_LOG_WARNING,
			"initrd: %llu symbolic links have an empty target, %s the first: they lead nowhere\n",
			targetless.count(), targetless.first());
}

// What the C code passes over without a word.
void tell_not_made(const NotMade &missing)
{
	const Tally &folder = missing.no_folder;
	const Tally &room = missing.no_room;
	const Tally &refused = missing.refused;
	const auto before = [](const Tally &tally) { return tally.count() ? ": " : ""; };

	if (folder.count() + room.count() + refused.count())
		seam_log(
			SEAM_LOG_WARNING,
			"initrd: %llu entries not made: %llu whose folder is not there%s%s, %llu for want of room%s%s, %llu refused by the file system%s%s (error %d)\n",
			folder.count() + room.count() + refused.count(), folder.count(),
			before(folder), folder.first(), room.count(), before(room), room.first(),
			refused.count(), before(refused), refused.first(), missing.code);
}

Result<void> unpack_from(Bytes image, Region &region, Unpacked &report, size_t base)
{
	Writer writer(region);
	Trouble &trouble = report.trouble;
	auto created = reader_for(writer);

	if (!created) {
		trouble.error = created.error();
		return created.error();
	}
	cpio::Reader &reader = created.value();
	auto unpacked = Unpacking(image, region, reader, report, base).run();

	if (!unpacked) {
		if (!trouble.error.code)
			trouble.error = unpacked.error();
		if (!trouble.inside)
			trouble.error = trouble.error.after(base);
		trouble.set_entry(reader.name());
		trouble.behind_entry = !reader.in_entry();
		if (!reader.at_boundary())
			(void)reader.end().ok();
		trouble.entry_removed = writer.removed();
		trouble.is_archive = true;
		trouble.entries = writer.entries();
	} else {
		// What follows is no archive.
		if (reader.at_boundary())
			(void)reader.end().ok();
		if (reader.untrailed().count)
			tell_untrailed(trouble.where, reader.untrailed());
	}
	writer.finish_directories();
	tell_links(writer.finish_links());
	tell_not_made(writer.not_made());
	report.headers = reader.headers();
	report.entries = writer.entries();
	report.bytes = writer.bytes();
	return unpacked;
}

} // namespace

Result<void> unpack(Bytes image, Unpacked &report, size_t base)
{
	Region kept = Region::none();

	return unpack_from(image, kept, report, base);
}

Result<void> unpack(Region &image, Unpacked &report, size_t base)
{
	return unpack_from(image.bytes(), image, report, base);
}

Contents look_into(Bytes image, const char *init)
{
	Region kept = Region::none();
	Finder finder(init, false);
	Unpacked unpacked;
	auto reader = reader_for(finder);

	if (reader)
		reader.value().be_quiet();
	if (reader && Unpacking(image, kept, reader.value(), unpacked, 0, true).run())
		finder.contents.end = unpacked.end;
	return finder.contents;
}

bool holds_archive(Bytes image)
{
	const Format *const format = identify_compressed(image);
	Region kept = Region::none();
	ImageReading reading(image, kept, seam_now_ns());
	Finder finder(nullptr, true);
	auto reader = reader_for(finder);

	if (!format || !format->decode || !reader)
		return false;
	reader.value().be_quiet();
	ReaderSink sink(reader.value(), reading, 0);

	(void)format->decode(image, sink).ok();
	return finder.contents.entries;
}

constinit const Archives kArchives = {unpack, unpack, look_into, holds_archive};

} // namespace initrd::rootfs
