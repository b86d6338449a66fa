// SPDX-License-Identifier: GPL-2.0
// Verification of the image, or of each of its parts. Whatever is unclear here ends in
// refusal: who asks for it does not want to boot something else by a slip of the pen.

#include "initrd/image/verify.h"

#include "initrd/formats/formats.h"
#include "initrd/seam/log.h"
#include "initrd/support/parse.h"
#include "initrd/support/text.h"

namespace initrd {
namespace {

// The same in hexadecimal digits, as sha256sum prints it.
struct Digits {
	INLINE explicit Digits(const Digest &digest)
	{
		char *at = text;

		for (const u8 byte : digest.bytes) {
			*at++ = "0123456789abcdef"[byte >> 4];
			*at++ = "0123456789abcdef"[byte & 15];
		}
		*at = 0;
	}
	char text[2 * SEAM_SHA256_SIZE + 1];
};

void say_parts(Span<const Part> parts)
{
	for (const Part &part : parts)
		if (part.named)
			seam_log(SEAM_LOG_INFO,
				 "initrd: image verified: %zu bytes at offset %zu, sha256 %s\n",
				 part.end - part.start, part.start, Digits(part.digest).text);
		else
			seam_log(
				SEAM_LOG_INFO,
				"initrd: archive of /.extra at offset %zu, %zu bytes: not verified, initrd.unnamed=extra lets it in\n",
				part.start, part.end - part.start);
}

} // namespace

void Wanted::add(const char *list)
{
	asked_ = true;
	for (;;) {
		const char *end = list;

		while (*end && *end != ',')
			end++;
		if (end != list)
			add(list, static_cast<size_t>(end - list));
		if (!*end)
			return;
		list = end + 1;
	}
}

bool Wanted::has(const Digest &digest) const
{
	bool found = false;

	for (const Digest &one : all())
		found |= one == digest;
	return found;
}

void Wanted::add(const char *text, size_t length)
{
	Digest digest = {};
	bool right = length == 2 * sizeof(digest.bytes);

	for (size_t i = 0; right && i < length; i++) {
		const u32 value = digit_value(text[i]);

		right = value < 16;
		digest.bytes[i / 2] = static_cast<u8>(digest.bytes[i / 2] << 4 | value);
	}
	if (!right) {
		seam_log(
			SEAM_LOG_ERR,
			"initrd: initrd.sha256=%.*s: not 64 hexadecimal digits, it matches no image\n",
			static_cast<int>(min(length, size_t{80})), text);
	} else if (has(digest)) {
		return;
	} else if (count_ == kMost) {
		seam_log(SEAM_LOG_ERR,
			 "initrd: initrd.sha256=: more than %zu digests, %.*s is ignored\n", kMost,
			 static_cast<int>(length), text);
	} else {
		digests_[count_++] = digest;
	}
}

bool Parts::read(Bytes image, Span<const Digest> wanted, bool extra_allowed)
{
	size_t start = next_part(image, 0);
	bool any = false;

	count_ = 0;
	while (start < image.size() && count_ < kMost) {
		Part &part = parts_[count_];
		const size_t extra = extra_allowed ? extra_archive_end(image, start) : 0;

		part.start = start;
		part.named = !extra;
		part.end = extra ?: find_named_end(image, start, wanted, part.digest);
		if (!part.end)
			break;
		count_++;
		any |= part.named;
		start = next_part(image, part.end);
	}
	return any && is_end(image, start);
}

// NULs at the very end are no padding, but for a file system, which tells its size.
bool Parts::is_end(Bytes image, size_t start) const
{
	const Part &last = parts_[count_ - 1];

	return start == image.size() && (last.end == start || !last.named ||
					 is_whole_file_system(image, last.start, last.end));
}

// Those in the kernel count alone: whoever may write a command line cannot add one.
void Verification::take_built_in_digests()
{
	if (!*build_->digests)
		return;
	if (wanted_.asked())
		seam_log(
			SEAM_LOG_WARNING,
			"initrd: initrd.sha256= is ignored: this kernel has its digests built in\n");
	wanted_ = {};
	wanted_.add(build_->digests);
}

void Verification::refuse(const char *why) const
{
	if (enforced_)
		seam_halt(why);
}

// What has a wanted digest, if anything has, and what follows it.
void Verification::say_rest(Bytes image, Span<const Part> parts) const
{
	if (parts.empty())
		return;
	const size_t end = parts[parts.size() - 1].end;
	const size_t next = next_part(image, end);
	const Format *const format = identify(image.skip(next));

	if (next == image.size())
		seam_log(
			SEAM_LOG_ERR,
			"initrd: its first %zu bytes have a wanted digest, %zu NULs follow: the loader has padded them\n",
			end, next - end);
	else
		seam_log(
			SEAM_LOG_ERR,
			"initrd: its first %zu bytes have a wanted digest, what follows at offset %zu (%s, %zu bytes) has none%s\n",
			end, next, format ? format->name : "unknown", image.size() - next,
			extra_archive_end(image, next) && !extra_allowed_ ?
				": initrd.unnamed=extra lets archives of /.extra in" :
				"");
}

void Verification::say_refusal(Bytes image, const Digest &found, Span<const Part> parts) const
{
	const Span<const Digest> all = wanted_.all();

	if (all.size() == 1) {
		seam_log(SEAM_LOG_ERR,
			 "initrd: image refused: the sha256 of its %zu bytes is %s, wanted %s\n",
			 image.size(), Digits(found).text, Digits(all[0]).text);
	} else {
		seam_log(SEAM_LOG_ERR,
			 "initrd: image refused: the sha256 of its %zu bytes is %s, %s\n",
			 image.size(), Digits(found).text,
			 all.empty() ? "no digest is given" : "none of those wanted:");
		for (const Digest &one : all)
			seam_log(SEAM_LOG_ERR, "initrd: wanted %s\n", Digits(one).text);
	}
	say_rest(image, parts);
}

void Verification::set_mode(const char *value)
{
	if (same_text(value, "enforce"))
		enforced_ = true;
	else if (same_text(value, "refuse"))
		enforced_ = build_->enforces;
	else
		seam_log(SEAM_LOG_ERR,
			 "initrd: initrd.verify=%.80s: neither refuse nor enforce, ignored\n",
			 value);
}

void Verification::set_unnamed(const char *value)
{
	if (same_text(value, "extra"))
		extra_allowed_ = true;
	else if (same_text(value, "refuse"))
		extra_allowed_ = false;
	else
		seam_log(SEAM_LOG_ERR,
			 "initrd: initrd.unnamed=%.80s: neither refuse nor extra, ignored\n",
			 value);
}

bool Verification::allows(Bytes image)
{
	Digest found;

	take_built_in_digests();
	if (!wanted_.asked() && !enforced_)
		return true;
	if (!build_->can_verify) {
		seam_log(
			SEAM_LOG_ERR,
			"initrd: image refused: it cannot be verified without CONFIG_INITRD_CXX_VERIFY\n");
		refuse("initrd: the image cannot be verified");
		return false;
	}
	seam_sha256(image.data(), image.size(), found.bytes);
	if (wanted_.has(found)) {
		seam_log(SEAM_LOG_INFO, "initrd: image verified: %zu bytes, sha256 %s\n",
			 image.size(), Digits(found).text);
		return true;
	}
	if (!wanted_.all().empty() && parts_.read(image, wanted_.all(), extra_allowed_)) {
		say_parts(parts_.all());
		return true;
	}
	say_refusal(image, found, wanted_.all().empty() ? Span<const Part>() : parts_.all());
	refuse("initrd: the image is not the one that is wanted");
	return false;
}

void Verification::note_absence() const
{
	refuse("initrd: there is no image to verify");
}

} // namespace initrd
