// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/zlib.h>

#include "initrd/linux/fault.h"
#include "initrd/seam/codec.h"

struct seam_inflate {
	struct z_stream_s stream;
};

struct seam_inflate * __init seam_inflate_new(void)
{
	struct seam_inflate *codec = seam_fault() ? NULL : kzalloc(sizeof(*codec), GFP_KERNEL);

	if (!codec)
		return NULL;
	codec->stream.workspace = __vmalloc(zlib_inflate_workspacesize(),
					    GFP_KERNEL | __GFP_ZERO | __GFP_RETRY_MAYFAIL |
					    __GFP_NOWARN);
	if (!codec->stream.workspace || zlib_inflateInit2(&codec->stream, -MAX_WBITS) != Z_OK) {
		seam_inflate_free(codec);
		return NULL;
	}
	return codec;
}

void __init seam_inflate_reset(struct seam_inflate *codec)
{
	zlib_inflateReset(&codec->stream);
}

enum seam_codec_status __init seam_inflate_step(struct seam_inflate *codec,
						struct seam_codec_io *io)
{
	struct z_stream_s *stream = &codec->stream;
	int status;

	stream->next_in = io->in;
	stream->avail_in = io->in_left;
	stream->next_out = io->out;
	stream->avail_out = io->out_left;
	status = zlib_inflate(stream, Z_NO_FLUSH);
	io->in = stream->next_in;
	io->in_left = stream->avail_in;
	io->out = stream->next_out;
	io->out_left = stream->avail_out;
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

void __init seam_inflate_free(struct seam_inflate *codec)
{
	if (codec)
		vfree(codec->stream.workspace);
	kfree(codec);
}
