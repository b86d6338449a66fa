// SPDX-License-Identifier: GPL-2.0

#include "reference.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <climits>

namespace fuzz {
namespace {

using host::Data;
using Made = std::optional<Data>;

// As much as a sink takes.
constexpr size_t kMost = size_t{20} << 20;
constexpr size_t kRoom = size_t{128} << 10;

enum class Step { kMore, kEnd, kFailed };

// Lets `step` fill one piece of room after the other. It fails when nothing moves.
template <typename Function> Made run(Function step)
{
	Data room(kRoom);
	Data out;

	while (out.size() < kMost) {
		size_t made = 0;
		const Step result = step(room, made);

		out.insert(out.end(), room.begin(), room.begin() + static_cast<long>(made));
		if (result == Step::kEnd)
			return out;
		if (result == Step::kFailed || !made)
			return {};
	}
	return {};
}

Made gzip(const Data &image)
{
	z_stream stream = {};

	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		return {};
	stream.next_in = const_cast<u8 *>(image.data());
	stream.avail_in = static_cast<uInt>(image.size());
	const Made made = run([&stream](Data &room, size_t &size) {
		stream.next_out = room.data();
		stream.avail_out = kRoom;
		const int status = inflate(&stream, Z_NO_FLUSH);

		size = kRoom - stream.avail_out;
		return status == Z_STREAM_END ? Step::kEnd :
		       status == Z_OK	      ? Step::kMore :
						Step::kFailed;
	});

	inflateEnd(&stream);
	return made;
}

Made bzip2(const Data &image)
{
	bz_stream stream = {};

	if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK)
		return {};
	stream.next_in = reinterpret_cast<char *>(const_cast<u8 *>(image.data()));
	stream.avail_in = static_cast<unsigned>(image.size());
	const Made made = run([&stream](Data &room, size_t &size) {
		stream.next_out = reinterpret_cast<char *>(room.data());
		stream.avail_out = kRoom;
		const int status = BZ2_bzDecompress(&stream);

		size = kRoom - stream.avail_out;
		return status == BZ_STREAM_END ? Step::kEnd :
		       status == BZ_OK	       ? Step::kMore :
						 Step::kFailed;
	});

	BZ2_bzDecompressEnd(&stream);
	return made;
}

Made lzma(lzma_ret started, lzma_stream &stream, const Data &image)
{
	if (started != LZMA_OK)
		return {};
	stream.next_in = image.data();
	stream.avail_in = image.size();
	const Made made = run([&stream](Data &room, size_t &size) {
		stream.next_out = room.data();
		stream.avail_out = kRoom;
		const lzma_ret status = lzma_code(&stream, LZMA_RUN);

		size = kRoom - stream.avail_out;
		return status == LZMA_STREAM_END ? Step::kEnd :
		       status == LZMA_OK	 ? Step::kMore :
						   Step::kFailed;
	});

	lzma_end(&stream);
	return made;
}

Made zstd(const Data &image)
{
	const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
									   ZSTD_freeDCtx);
	ZSTD_inBuffer in = {image.data(), image.size(), 0};

	return run([&](Data &room, size_t &size) {
		ZSTD_outBuffer out = {room.data(), kRoom, 0};
		const size_t status = ZSTD_decompressStream(context.get(), &out, &in);

		size = out.pos;
		return ZSTD_isError(status) ? Step::kFailed : status ? Step::kMore : Step::kEnd;
	});
}

// Its frames only.
Made lz4(const Data &image)
{
	LZ4F_dctx *context;
	size_t at = 0;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		return {};
	const Made made = run([&](Data &room, size_t &size) {
		size_t used = image.size() - at;

		size = room.size();
		const size_t status = LZ4F_decompress(context, room.data(), &size,
						      image.data() + at, &used, nullptr);

		at += used;
		return LZ4F_isError(status) ? Step::kFailed : status ? Step::kMore : Step::kEnd;
	});

	LZ4F_freeDecompressionContext(context);
	return made;
}

} // namespace

std::optional<Data> reference(const std::string &format, const Data &image)
{
	constexpr u64 limit = u64{256} << 20;
	lzma_stream stream = LZMA_STREAM_INIT;

	if (format == "gzip")
		return gzip(image);
	if (format == "bzip2")
		return bzip2(image);
	if (format == "lzma")
		return lzma(lzma_alone_decoder(&stream, limit), stream, image);
	if (format == "xz")
		return lzma(lzma_stream_decoder(&stream, limit, 0), stream, image);
	if (format == "zstd")
		return zstd(image);
	if (format == "lz4")
		return lz4(image);
	return {};
}

} // namespace fuzz
