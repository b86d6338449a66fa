// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/zstd.h>

#include "initrd/kernel/codec.h"

struct seam_zstd {
	zstd_dstream *stream;
	void *workspace;
};

struct seam_zstd * __init seam_zstd_new(const u8 *in, size_t size,
					enum seam_codec_status *status)
{
	struct seam_zstd *codec;
	zstd_frame_header header;
	size_t workspace_size;

	*status = SEAM_CODEC_CORRUPT;
	if (zstd_get_frame_header(&header, in, size) != 0)
		return NULL;
	*status = SEAM_CODEC_NO_MEMORY;
	if (header.windowSize > SIZE_MAX / 2)
		return NULL;
	codec = kzalloc(sizeof(*codec), GFP_KERNEL);
	if (!codec)
		return NULL;
	workspace_size = zstd_dstream_workspace_bound(header.windowSize);
	codec->workspace = __vmalloc(workspace_size,
				     GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	if (codec->workspace)
		codec->stream = zstd_init_dstream(header.windowSize, codec->workspace,
						  workspace_size);
	if (!codec->stream) {
		seam_zstd_free(codec);
		return NULL;
	}
	return codec;
}

enum seam_codec_status __init seam_zstd_step(struct seam_zstd *codec, struct seam_codec_io *io)
{
	zstd_in_buffer in = { .src = io->in, .size = io->in_left };
	zstd_out_buffer out = { .dst = io->out, .size = io->out_left };
	size_t status = zstd_decompress_stream(codec->stream, &out, &in);

	io->in += in.pos;
	io->in_left -= in.pos;
	io->out += out.pos;
	io->out_left -= out.pos;
	if (!zstd_is_error(status))
		return status ? SEAM_CODEC_MORE : SEAM_CODEC_END;
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

void __init seam_zstd_free(struct seam_zstd *codec)
{
	if (codec)
		vfree(codec->workspace);
	kfree(codec);
}
