// SPDX-License-Identifier: GPL-2.0
// The kernel's decompressors, on top of the libraries that they come from.

#include "initrd/seam/codec.h"

#define ZSTD_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <lz4.h>
#include <lzma.h>
#include <lzo/lzo1x.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <atomic>
#include <climits>

#include "initrd/hosted/world.h"

// What a decompressor is given at most, where nobody says how much memory there is.
static constexpr u64 kMost = u64{256} << 20;

// Other processors have codecs, too.
static void count_codec(int change)
{
	std::atomic_ref(host::live().codecs) += static_cast<size_t>(change);
}

// What a block's decoder returns.
static s64 count_work(s64 made)
{
	if (made > 0)
		host::work_on(static_cast<u64>(made));
	return made < 0 ? -1 : made;
}

struct seam_inflate {
	z_stream stream = {};
};

struct seam_zstd {
	void *workspace;
	ZSTD_DCtx *context;
	bool in_place;
};

struct seam_xz {
	lzma_stream stream = LZMA_STREAM_INIT;
};

struct seam_inflate *seam_inflate_new(void)
{
	if (!host::may_allocate())
		return nullptr;

	auto *const codec = new seam_inflate;

	inflateInit2(&codec->stream, -MAX_WBITS);
	count_codec(1);
	return codec;
}

void seam_inflate_reset(struct seam_inflate *codec)
{
	inflateReset(&codec->stream);
}

enum seam_codec_status seam_inflate_step(struct seam_inflate *codec, struct seam_codec_io *io)
{
	z_stream &stream = codec->stream;
	const auto in = static_cast<uInt>(std::min<size_t>(io->in_left, UINT_MAX));
	const auto out = static_cast<uInt>(std::min<size_t>(io->out_left, UINT_MAX));

	stream.next_in = const_cast<u8 *>(io->in);
	stream.avail_in = in;
	stream.next_out = io->out;
	stream.avail_out = out;

	const int status = inflate(&stream, Z_NO_FLUSH);

	host::work_on(out - stream.avail_out);
	io->in += in - stream.avail_in;
	io->in_left -= in - stream.avail_in;
	io->out += out - stream.avail_out;
	io->out_left -= out - stream.avail_out;
	switch (status) {
	case Z_STREAM_END:
		return SEAM_CODEC_END;
	case Z_OK:
	case Z_BUF_ERROR:
		return SEAM_CODEC_MORE;
	case Z_MEM_ERROR:
		return SEAM_CODEC_NO_MEMORY;
	default:
		return SEAM_CODEC_CORRUPT;
	}
}

void seam_inflate_free(struct seam_inflate *codec)
{
	inflateEnd(&codec->stream);
	count_codec(-1);
	delete codec;
}

static bool crc32_is_fast = false;
static u32 xz_filters = host::kAllXzFilters;
static u32 zstd_window_bits = host::kMostZstdWindowBits;

namespace host {

void set_crc32_is_fast(bool fast)
{
	crc32_is_fast = fast;
}

void set_xz_filters(u32 filters)
{
	xz_filters = filters;
}

void set_zstd_window_bits(u32 bits)
{
	zstd_window_bits = bits;
}

} // namespace host

u32 seam_crc32(u32 crc, const u8 *data, size_t size)
{
	return static_cast<u32>(crc32_z(crc, data, size));
}

int seam_crc32_is_fast(void)
{
	return crc32_is_fast;
}

namespace {

seam_codec_status failed(size_t status)
{
	switch (ZSTD_getErrorCode(status)) {
	case ZSTD_error_memory_allocation:
		return SEAM_CODEC_NO_MEMORY;
	case ZSTD_error_checksum_wrong:
		return SEAM_CODEC_BAD_CHECKSUM;
	case ZSTD_error_parameter_unsupported:
	case ZSTD_error_version_unsupported:
	case ZSTD_error_frameParameter_unsupported:
	case ZSTD_error_frameParameter_windowTooLarge:
		return SEAM_CODEC_UNSUPPORTED;
	default:
		return SEAM_CODEC_CORRUPT;
	}
}

} // namespace

struct seam_zstd *seam_zstd_new(const u8 *in, size_t size, int in_place,
				enum seam_codec_status *status)
{
	ZSTD_frameHeader header;
	const size_t missing = ZSTD_getFrameHeader(&header, in, size);

	*status = ZSTD_isError(missing) ? failed(missing) : SEAM_CODEC_CORRUPT;
	if (missing)
		return nullptr;
	if (header.windowSize >> zstd_window_bits > 1) {
		*status = SEAM_CODEC_UNSUPPORTED;
		return nullptr;
	}
	*status = SEAM_CODEC_NO_MEMORY;
	if ((!in_place && header.windowSize > host::most_at_once(kMost)) || !host::may_allocate())
		return nullptr;

	const size_t size_of_workspace =
		in_place ? ZSTD_estimateDCtxSize() :
			   ZSTD_estimateDStreamSize(static_cast<size_t>(header.windowSize));
	void *const workspace = host::counted_malloc(size_of_workspace);

	if (!workspace)
		return nullptr;

	auto *const codec = new seam_zstd{
		workspace, ZSTD_initStaticDCtx(workspace, size_of_workspace), in_place != 0};

	ZSTD_decompressBegin(codec->context);
	ZSTD_DCtx_setMaxWindowSize(codec->context,
				   std::max<size_t>(static_cast<size_t>(header.windowSize), 1024));
	count_codec(1);
	return codec;
}

namespace {

seam_codec_status step_in_place(ZSTD_DCtx *context, seam_codec_io *io)
{
	size_t size = ZSTD_nextSrcSizeToDecompress(context);
	size_t made = 0;

	if (io->out_left < SEAM_ZSTD_ROOM)
		host::complain("too little room for a block of zstd data");
	if (size <= io->in_left)
		made = ZSTD_decompressContinue(context, io->out, io->out_left, io->in, size);
	else
		size = io->in_left;
	if (ZSTD_isError(made))
		return failed(made);
	host::work_on(made);
	io->in += size;
	io->in_left -= size;
	io->out += made;
	io->out_left -= made;
	return ZSTD_nextSrcSizeToDecompress(context) ? SEAM_CODEC_MORE : SEAM_CODEC_END;
}

} // namespace

enum seam_codec_status seam_zstd_step(struct seam_zstd *codec, struct seam_codec_io *io)
{
	if (codec->in_place)
		return step_in_place(codec->context, io);

	ZSTD_inBuffer in = {io->in, io->in_left, 0};
	ZSTD_outBuffer out = {io->out, io->out_left, 0};
	const size_t status = ZSTD_decompressStream(codec->context, &out, &in);

	host::work_on(out.pos);
	io->in += in.pos;
	io->in_left -= in.pos;
	io->out += out.pos;
	io->out_left -= out.pos;
	if (ZSTD_isError(status))
		return failed(status);
	return status ? SEAM_CODEC_MORE : SEAM_CODEC_END;
}

s64 seam_zstd_frame(struct seam_zstd *codec, const u8 *in, size_t in_size, u8 *out, size_t out_size)
{
	const size_t made = ZSTD_decompressDCtx(codec->context, out, out_size, in, in_size);

	return ZSTD_isError(made) ? -1 : count_work(static_cast<s64>(made));
}

void seam_zstd_free(struct seam_zstd *codec)
{
	count_codec(-1);
	host::counted_free(codec->workspace);
	delete codec;
}

namespace {

void *allocate_for_lzma(void *, size_t, size_t size)
{
	return host::counted_malloc(size);
}

void free_for_lzma(void *, void *memory)
{
	host::counted_free(memory);
}

constexpr lzma_allocator kCounted = {allocate_for_lzma, free_for_lzma, nullptr};

} // namespace

struct seam_xz *seam_xz_new(void)
{
	if (!host::may_allocate())
		return nullptr;

	auto *const codec = new seam_xz;

	codec->stream.allocator = &kCounted;
	seam_xz_reset(codec);
	if (!codec->stream.internal) {
		delete codec;
		return nullptr;
	}
	count_codec(1);
	return codec;
}

void seam_xz_reset(struct seam_xz *codec)
{
	// As the kernel's: one stream, then whatever follows.
	const lzma_ret status = lzma_stream_decoder(&codec->stream, host::most_at_once(kMost), 0);

	if (status != LZMA_OK && status != LZMA_MEM_ERROR)
		host::complain("liblzma does not start");
}

enum seam_codec_status seam_xz_step(struct seam_xz *codec, struct seam_codec_io *io)
{
	lzma_stream &stream = codec->stream;

	stream.next_in = io->in;
	stream.avail_in = io->in_left;
	stream.next_out = io->out;
	stream.avail_out = io->out_left;

	const lzma_ret status = lzma_code(&stream, LZMA_RUN);

	host::work_on(io->out_left - stream.avail_out);
	io->in = stream.next_in;
	io->in_left = stream.avail_in;
	io->out = stream.next_out;
	io->out_left = stream.avail_out;
	switch (status) {
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return SEAM_CODEC_MORE;
	case LZMA_STREAM_END:
		return SEAM_CODEC_END;
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return SEAM_CODEC_NO_MEMORY;
	case LZMA_OPTIONS_ERROR:
		return SEAM_CODEC_UNSUPPORTED;
	default:
		return SEAM_CODEC_CORRUPT;
	}
}

void seam_xz_free(struct seam_xz *codec)
{
	lzma_end(&codec->stream);
	count_codec(-1);
	delete codec;
}

int seam_xz_has_filter(u32 id)
{
	return id < 32 && xz_filters >> id & 1;
}

s64 seam_lz4_block(const u8 *in, size_t in_size, u8 *out, size_t out_size)
{
	if (in_size > INT_MAX || out_size > INT_MAX)
		return -1;
	const int made = LZ4_decompress_safe(reinterpret_cast<const char *>(in),
					     reinterpret_cast<char *>(out),
					     static_cast<int>(in_size), static_cast<int>(out_size));

	return count_work(made);
}

s64 seam_lz4_head(const u8 *in, size_t in_size, u8 *out, size_t out_size)
{
	if (in_size > INT_MAX || out_size > INT_MAX)
		return -1;
	const int made = LZ4_decompress_safe_partial(
		reinterpret_cast<const char *>(in), reinterpret_cast<char *>(out),
		static_cast<int>(in_size), static_cast<int>(out_size), static_cast<int>(out_size));

	return count_work(made);
}

s64 seam_lz4_linked_block(const u8 *in, size_t in_size, u8 *out, size_t out_size, const u8 *before,
			  size_t before_size)
{
	if (in_size > INT_MAX || out_size > INT_MAX || before_size > INT_MAX)
		return -1;
	const int made = LZ4_decompress_safe_usingDict(
		reinterpret_cast<const char *>(in), reinterpret_cast<char *>(out),
		static_cast<int>(in_size), static_cast<int>(out_size),
		reinterpret_cast<const char *>(before), static_cast<int>(before_size));

	return count_work(made);
}

static_assert(sizeof(seam_xxh32) >= sizeof(XXH32_state_t));

void seam_xxh32_start(struct seam_xxh32 *sum)
{
	XXH32_reset(reinterpret_cast<XXH32_state_t *>(sum), 0);
}

void seam_xxh32_add(struct seam_xxh32 *sum, const u8 *data, size_t size)
{
	XXH32_update(reinterpret_cast<XXH32_state_t *>(sum), data, size);
}

u32 seam_xxh32_value(const struct seam_xxh32 *sum)
{
	return XXH32_digest(reinterpret_cast<const XXH32_state_t *>(sum));
}

s64 seam_lzo_block(const u8 *in, size_t in_size, u8 *out, size_t out_size)
{
	lzo_uint made = out_size;

	return lzo1x_decompress_safe(in, in_size, out, &made, nullptr) == LZO_E_OK ?
		       count_work(static_cast<s64>(made)) :
		       -1;
}
