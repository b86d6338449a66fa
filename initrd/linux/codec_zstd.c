// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/zstd.h>

#include "initrd/linux/fault.h"
#include "initrd/seam/codec.h"

struct seam_zstd {
	zstd_dctx *context; /* a zstd_dstream is one, too */
	void *workspace;
	int in_place;
};

static bool __init start(struct seam_zstd *codec, size_t window)
{
	size_t size = codec->in_place ? zstd_dctx_workspace_bound() :
					zstd_dstream_workspace_bound(window);

	codec->workspace = __vmalloc(size, GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	if (!codec->workspace)
		return false;
	codec->context = codec->in_place ? zstd_init_dctx(codec->workspace, size) :
					   zstd_init_dstream(window, codec->workspace, size);
	if (codec->context && codec->in_place)
		ZSTD_decompressBegin(codec->context);
	else if (codec->context)
		ZSTD_DCtx_setMaxWindowSize(codec->context, max_t(size_t, window, SZ_1K));
	return codec->context;
}

static enum seam_codec_status __init failed(size_t status)
{
	switch (zstd_get_error_code(status)) {
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

struct seam_zstd * __init seam_zstd_new(const u8 *in, size_t size, int in_place,
					enum seam_codec_status *status)
{
	struct seam_zstd *codec;
	zstd_frame_header header;
	size_t missing = zstd_get_frame_header(&header, in, size);

	*status = zstd_is_error(missing) ? failed(missing) : SEAM_CODEC_CORRUPT;
	if (missing)
		return NULL;
	*status = SEAM_CODEC_NO_MEMORY;
	if (!in_place && header.windowSize > SIZE_MAX / 2)
		return NULL;
	codec = seam_fault() ? NULL : kzalloc(sizeof(*codec), GFP_KERNEL);
	if (!codec)
		return NULL;
	codec->in_place = in_place;
	if (!start(codec, header.windowSize)) {
		seam_zstd_free(codec);
		return NULL;
	}
	return codec;
}

/* One piece as the library wants it: a header, a block, a checksum. */
static enum seam_codec_status __init step_in_place(zstd_dctx *context, struct seam_codec_io *io)
{
	size_t size = ZSTD_nextSrcSizeToDecompress(context);
	size_t made = 0;

	if (size <= io->in_left)
		made = ZSTD_decompressContinue(context, io->out, io->out_left, io->in, size);
	else
		size = io->in_left;
	if (zstd_is_error(made))
		return failed(made);
	io->in += size;
	io->in_left -= size;
	io->out += made;
	io->out_left -= made;
	return ZSTD_nextSrcSizeToDecompress(context) ? SEAM_CODEC_MORE : SEAM_CODEC_END;
}

enum seam_codec_status __init seam_zstd_step(struct seam_zstd *codec, struct seam_codec_io *io)
{
	zstd_in_buffer in = { .src = io->in, .size = io->in_left };
	zstd_out_buffer out = { .dst = io->out, .size = io->out_left };
	size_t status;

	if (codec->in_place)
		return step_in_place(codec->context, io);
	status = zstd_decompress_stream(codec->context, &out, &in);
	io->in += in.pos;
	io->in_left -= in.pos;
	io->out += out.pos;
	io->out_left -= out.pos;
	if (zstd_is_error(status))
		return failed(status);
	return status ? SEAM_CODEC_MORE : SEAM_CODEC_END;
}

s64 __init seam_zstd_frame(struct seam_zstd *codec, const u8 *in, size_t in_size, u8 *out,
			   size_t out_size)
{
	size_t made = zstd_decompress_dctx(codec->context, out, out_size, in, in_size);

	return zstd_is_error(made) ? -1 : made;
}

void __init seam_zstd_free(struct seam_zstd *codec)
{
	if (codec)
		vfree(codec->workspace);
	kfree(codec);
}
