// SPDX-License-Identifier: GPL-2.0

#include "compress.h"

#include <bzlib.h>
#include <lz4hc.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <stdexcept>

namespace host {
namespace {

void expect(bool ok, const char *what)
{
	if (!ok)
		throw std::runtime_error(what);
}

void put_be(Data &out, u64 value, int bytes)
{
	while (bytes--)
		out.push_back(static_cast<u8>(value >> 8 * bytes));
}

void put_le32(Data &out, u32 value)
{
	for (int i = 0; i < 4; i++)
		out.push_back(static_cast<u8>(value >> 8 * i));
}

Data deflate_as(const Data &plain, gz_header *header, int level = 6)
{
	z_stream stream = {};
	Data out(plain.size() + plain.size() / 100 + 1024);

	expect(deflateInit2(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) ==
		       Z_OK,
	       "deflateInit2");
	if (header)
		deflateSetHeader(&stream, header);
	stream.next_in = const_cast<u8 *>(plain.data());
	stream.avail_in = static_cast<uInt>(plain.size());
	stream.next_out = out.data();
	stream.avail_out = static_cast<uInt>(out.size());
	expect(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate");
	out.resize(stream.total_out);
	deflateEnd(&stream);
	return out;
}

void append(Data &out, const Data &more)
{
	out.insert(out.end(), more.begin(), more.end());
}

// The usual options, with no larger a dictionary than the content has use for: it is
// allocated for each decoding.
lzma_options_lzma lzma_options(const Data &plain)
{
	lzma_options_lzma options;

	expect(!lzma_lzma_preset(&options, 6), "preset");
	while (options.dict_size > 65536 && options.dict_size / 2 >= plain.size())
		options.dict_size /= 2;
	return options;
}

Data xz_as(const Data &plain, lzma_check check)
{
	Data out(plain.size() + plain.size() / 10 + 4096);
	size_t size = 0;

	expect(lzma_easy_buffer_encode(6, check, nullptr, plain.data(), plain.size(), out.data(),
				       &size, out.size()) == LZMA_OK,
	       "xz");
	out.resize(size);
	return out;
}

} // namespace

Data gzip(const Data &plain)
{
	return deflate_as(plain, nullptr);
}

Data gzip_stored(const Data &plain)
{
	return deflate_as(plain, nullptr, Z_NO_COMPRESSION);
}

Data gzip_with_all_fields(const Data &plain)
{
	u8 extra[] = "extra field";
	u8 name[] = "initrd.img";
	u8 comment[] = "with a comment";
	gz_header header = {};

	header.extra = extra;
	header.extra_len = sizeof(extra);
	header.name = name;
	header.comment = comment;
	header.hcrc = 1;
	return deflate_as(plain, &header);
}

Data bzip2(const Data &plain)
{
	Data out(plain.size() + plain.size() / 100 + 1024);
	auto size = static_cast<unsigned>(out.size());
	// The library's type is historical: it does not write to its input.
	char *const in = reinterpret_cast<char *>(const_cast<u8 *>(plain.data()));

	expect(BZ2_bzBuffToBuffCompress(reinterpret_cast<char *>(out.data()), &size, in,
					static_cast<unsigned>(plain.size()), 1, 0, 0) == BZ_OK,
	       "bzip2");
	out.resize(size);
	return out;
}

Data lzma(const Data &plain)
{
	lzma_options_lzma options = lzma_options(plain);
	lzma_stream stream = LZMA_STREAM_INIT;
	Data out(plain.size() + plain.size() / 10 + 4096);

	// Its first bytes are 5d 00 00, which is all that the kernel looks at.
	expect(lzma_alone_encoder(&stream, &options) == LZMA_OK, "lzma");
	stream.next_in = plain.data();
	stream.avail_in = plain.size();
	stream.next_out = out.data();
	stream.avail_out = out.size();
	expect(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END, "lzma");
	out.resize(stream.total_out);
	lzma_end(&stream);
	return out;
}

Data xz(const Data &plain)
{
	return xz_as(plain, LZMA_CHECK_CRC32);
}

Data xz_with_crc64(const Data &plain)
{
	return xz_as(plain, LZMA_CHECK_CRC64);
}

Data xz_with_sha256(const Data &plain)
{
	return xz_as(plain, LZMA_CHECK_SHA256);
}

Data lzo(const Data &plain)
{
	return lzo_with_flags(plain, 0x0303, 0x1040);
}

Data lzo_with_flags(const Data &plain, u32 flags, u16 version, u32 filter)
{
	constexpr size_t kBlock = 256 * 1024;
	Data out = {0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n'};
	const size_t header = out.size();
	const bool with_level = version >= 0x0940;

	put_be(out, version, 2);
	put_be(out, 0x20a0, 2);
	put_be(out, 0x0940, 2);
	put_be(out, 1, 1);
	if (with_level)
		put_be(out, 5, 1);
	put_be(out, flags, 4);
	if (flags & 0x0800)
		put_be(out, filter, 4);
	put_be(out, 0100644, 4);
	put_be(out, 1000, with_level ? 8 : 4);
	put_be(out, 4, 1);
	append(out, to_data("name"));
	put_be(out, lzo_adler32(1, out.data() + header, static_cast<lzo_uint>(out.size() - header)),
	       4);
	if (flags & 0x0040) {
		put_be(out, 3, 4);
		append(out, to_data("abc"));
		put_be(out, 0, 4);
	}

	expect(lzo_init() == LZO_E_OK, "lzo_init");
	for (size_t at = 0; at < plain.size(); at += kBlock) {
		const size_t size = std::min(kBlock, plain.size() - at);
		Data work(LZO1X_1_MEM_COMPRESS);
		Data packed(size + size / 16 + 67);
		lzo_uint packed_size = packed.size();
		const u8 *const from = plain.data() + at;
		Data filtered(from, from + size);

		if (flags & 0x0800)
			for (size_t i = size; filter && i-- > filter;)
				filtered[i] -= from[i - filter];
		lzo1x_1_compress(filtered.data(), size, packed.data(), &packed_size, work.data());
		packed.resize(packed_size);

		const bool stored = packed_size >= size;

		if (stored)
			packed = filtered;
		put_be(out, size, 4);
		put_be(out, packed.size(), 4);
		if (flags & 0x0001)
			put_be(out, lzo_adler32(1, from, size), 4);
		if (flags & 0x0100)
			put_be(out, lzo_crc32(0, from, size), 4);
		if (!stored && flags & 0x0002)
			put_be(out, lzo_adler32(1, packed.data(), packed.size()), 4);
		if (!stored && flags & 0x0200)
			put_be(out, lzo_crc32(0, packed.data(), packed.size()), 4);
		append(out, packed);
	}
	put_be(out, 0, 4);
	return out;
}

Data lz4(const Data &plain)
{
	constexpr size_t kBlock = 8 << 20;
	Data out;

	put_le32(out, 0x184c2102);
	for (size_t at = 0; at < plain.size(); at += kBlock) {
		const auto size = static_cast<int>(std::min(kBlock, plain.size() - at));
		Data packed(static_cast<size_t>(LZ4_compressBound(size)));
		const int packed_size =
			LZ4_compress_default(reinterpret_cast<const char *>(plain.data() + at),
					     reinterpret_cast<char *>(packed.data()), size,
					     static_cast<int>(packed.size()));

		packed.resize(static_cast<size_t>(packed_size));
		put_le32(out, static_cast<u32>(packed_size));
		append(out, packed);
	}
	return out;
}

namespace {

Data zstd_as(const Data &plain, bool with_size, bool with_checksum = true)
{
	ZSTD_CCtx *const context = ZSTD_createCCtx();
	Data out(ZSTD_compressBound(plain.size()));

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, with_checksum);
	ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, with_size);
	const size_t size = ZSTD_compress2(context, out.data(), out.size(), plain.data(),
					   plain.size());

	ZSTD_freeCCtx(context);
	expect(!ZSTD_isError(size), "zstd");
	out.resize(size);
	return out;
}

} // namespace

Data zstd(const Data &plain)
{
	return zstd_as(plain, true);
}

Data zstd_without_checksum(const Data &plain)
{
	return zstd_as(plain, true, false);
}

Data zstd_streamed(const Data &plain)
{
	return zstd_as(plain, false);
}

Data zstd_in_frames(const Data &plain, size_t frame)
{
	Data out;

	for (size_t at = 0; at < plain.size(); at += frame) {
		const auto start = plain.begin() + static_cast<ptrdiff_t>(at);
		const size_t size = std::min(frame, plain.size() - at);

		append(out, zstd(Data(start, start + static_cast<ptrdiff_t>(size))));
	}
	return out;
}

Data xz_in_blocks(const Data &plain, size_t block, bool crc64)
{
	lzma_mt options = {};
	lzma_stream stream = LZMA_STREAM_INIT;
	Data out(plain.size() + plain.size() / 10 + 65536);

	options.threads = 1;
	options.block_size = block;
	options.preset = 1;
	options.check = crc64 ? LZMA_CHECK_CRC64 : LZMA_CHECK_CRC32;
	expect(lzma_stream_encoder_mt(&stream, &options) == LZMA_OK, "xz");
	stream.next_in = plain.data();
	stream.avail_in = plain.size();
	stream.next_out = out.data();
	stream.avail_out = out.size();
	expect(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END, "xz");
	out.resize(stream.total_out);
	lzma_end(&stream);
	return out;
}

Data pzstd(const Data &plain, size_t frame)
{
	Data out;

	for (size_t at = 0; at < plain.size(); at += frame) {
		const auto start = plain.begin() + static_cast<ptrdiff_t>(at);
		const size_t size = std::min(frame, plain.size() - at);
		const Data packed = zstd_as(Data(start, start + static_cast<ptrdiff_t>(size)),
					    false);

		put_le32(out, 0x184d2a50);
		put_le32(out, 4);
		put_le32(out, static_cast<u32>(packed.size()));
		append(out, packed);
	}
	return out;
}

Data bgzip(const Data &plain, size_t member)
{
	Data out;

	for (size_t at = 0; at <= plain.size(); at += member) {
		const auto start = plain.begin() + static_cast<ptrdiff_t>(at);
		const size_t size = std::min(member, plain.size() - at);
		u8 extra[] = {'B', 'C', 2, 0, 0, 0};
		gz_header header = {};

		header.extra = extra;
		header.extra_len = sizeof(extra);
		Data packed = deflate_as(Data(start, start + static_cast<ptrdiff_t>(size)),
					 &header);

		// The field is 16 bytes into the header.
		packed[16] = static_cast<u8>(packed.size() - 1);
		packed[17] = static_cast<u8>((packed.size() - 1) >> 8);
		append(out, packed);
	}
	return out;
}

const Method kMethods[7] = {
	{"gzip", initrd::decode_gzip, gzip, true, true},
	{"bzip2", initrd::decode_bzip2, bzip2, true, true},
	{"lzma", initrd::decode_lzma, lzma, false, true},
	{"xz", initrd::decode_xz, xz, true, true},
	{"lzo", initrd::decode_lzo, lzo, false, true},
	{"lz4", initrd::decode_lz4, lz4, false, false},
	{"zstd", initrd::decode_zstd, zstd, true, true},
};

const Method &method(const std::string &name)
{
	for (const Method &each : kMethods)
		if (name == each.name)
			return each;
	throw std::runtime_error("no such method");
}

} // namespace host
