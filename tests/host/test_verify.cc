// SPDX-License-Identifier: GPL-2.0
// initrd.sha256= and initrd.verify=: which images are used, and what is said.

#include <cctype>

#include "boots.h"
#include "initrd/seam/digest.h"

namespace {

using host::Archive;
using host::Data;
using host::operator+;

// What sha256sum prints.
std::string sha256(const Data &data)
{
	u8 digest[SEAM_SHA256_SIZE];
	std::string text;
	char digits[3];

	seam_sha256(data.data(), data.size(), digest);
	for (const u8 byte : digest) {
		std::snprintf(digits, sizeof(digits), "%02x", byte);
		text += digits;
	}
	return text;
}

const Data kArchive = Archive().file("a", "1").trailer().data();
const Data kImage = host::ext2_image(64 << 10);
const std::string kOther = sha256(host::to_data("other"));

class Verify : public host::Boot {
protected:
	// Boots; nothing of the image may be seen, and all of it has to be free again.
	void expect_refused()
	{
		EXPECT_EQ(boot(), 0);
		EXPECT_EQ(text("a"), "(nothing)");
		EXPECT_FALSE(host::logged("Trying to unpack rootfs image as initramfs..."));
		EXPECT_EQ(host::image_pages().find_first_not_of("F"), std::string::npos)
			<< host::image_pages();
		EXPECT_TRUE(host::logged("Freeing initrd memory: "));
	}
	static std::string verified(const Data &image)
	{
		return "initrd: image verified: " + std::to_string(image.size()) +
		       " bytes, sha256 " + sha256(image);
	}
	static std::string refused(const Data &image)
	{
		return "initrd: image refused: the sha256 of its " + std::to_string(image.size()) +
		       " bytes is " + sha256(image) + ", ";
	}
};

TEST_F(Verify, NothingIsSaidWhereNobodyAsks)
{
	host::set_image(kArchive);
	boot();
	EXPECT_EQ(text("a"), "1");
	EXPECT_EQ(host::whole_log().find("sha256"), std::string::npos);
}

TEST_F(Verify, TheRightArchive)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
	boot();
	EXPECT_EQ(text("a"), "1");
	EXPECT_TRUE(host::logged(SEAM_LOG_INFO, verified(kArchive)));
	EXPECT_EQ(host::log_lines()[0].text, verified(kArchive)) << "before all else";
}

TEST_F(Verify, TheRightImage)
{
	host::set_image(kImage);
	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kImage).c_str());
	initrd_set(INITRD_PARAMETER_VERIFICATION, "enforce");
	boot();
	EXPECT_TRUE(host::logged(SEAM_LOG_INFO, verified(kImage)));
	EXPECT_EQ(ram0(kImage.size()), kImage);
}

TEST_F(Verify, OnceIsEnough)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
	initrd_verify();
	boot();
	EXPECT_EQ(text("a"), "1");
	EXPECT_EQ(host::log_lines()[0].text, verified(kArchive));
	EXPECT_NE(host::log_lines()[1].text, verified(kArchive));
}

TEST_F(Verify, WhatWasRefusedBeforeStaysRefused)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, kOther.c_str());
	initrd_verify();
	expect_refused();
}

TEST_F(Verify, CapitalLettersAndCommas)
{
	std::string list = "," + kOther + ",,";

	for (const char letter : sha256(kArchive))
		list += static_cast<char>(std::toupper(letter));
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, list.c_str());
	boot();
	EXPECT_EQ(text("a"), "1");
}

TEST_F(Verify, SeveralParametersCountTogether)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
	initrd_set(INITRD_PARAMETER_DIGESTS, kOther.c_str());
	boot();
	EXPECT_EQ(text("a"), "1");
}

TEST_F(Verify, AnotherArchiveIsRefused)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, kOther.c_str());
	expect_refused();
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, refused(kArchive) + "wanted " + kOther));
}

TEST_F(Verify, AnotherImageIsRefused)
{
	host::set_image(kImage);
	initrd_set(INITRD_PARAMETER_DIGESTS, kOther.c_str());
	expect_refused();
	EXPECT_TRUE(host::gendisks().empty());
}

TEST_F(Verify, EveryBitCounts)
{
	for (const size_t at : {size_t{0}, kArchive.size() / 2, kArchive.size() - 1}) {
		Data changed = kArchive;

		SCOPED_TRACE(at);
		again();
		changed[at] ^= 1;
		host::set_image(changed);
		initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
		expect_refused();
	}
}

TEST_F(Verify, AllWantedDigestsAreNamed)
{
	const std::string third = sha256(host::to_data("third"));

	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, (kOther + "," + third).c_str());
	expect_refused();
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, refused(kArchive) + "none of those wanted:"));
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: wanted " + kOther));
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: wanted " + third));
}

TEST_F(Verify, MalformedDigestsMatchNothing)
{
	const std::string right = sha256(kArchive);

	for (const std::string &wrong :
	     {std::string(), std::string("0"), right.substr(1), right + "0", "g" + right.substr(1),
	      " " + right.substr(1), right.substr(0, 63) + "\xff", std::string(4000, 'a')}) {
		SCOPED_TRACE(wrong);
		again();
		host::set_image(kArchive);
		initrd_set(INITRD_PARAMETER_DIGESTS, wrong.c_str());
		expect_refused();
		EXPECT_TRUE(host::logged(SEAM_LOG_ERR, refused(kArchive) + "no digest is given"));
		EXPECT_EQ(host::logged(SEAM_LOG_ERR,
				       "initrd: initrd.sha256=" + wrong.substr(0, 80) +
					       ": not 64 hexadecimal digits, it matches no image"),
			  !wrong.empty())
			<< host::whole_log();
	}
}

TEST_F(Verify, AMalformedDigestBesideARightOne)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, ("abc," + sha256(kArchive)).c_str());
	boot();
	EXPECT_EQ(text("a"), "1");
}

TEST_F(Verify, MoreDigestsThanThereIsRoomFor)
{
	host::set_image(kArchive);
	for (int i = 0; i < 16; i++) {
		const std::string one = sha256(host::to_data(std::to_string(i)));

		initrd_set(INITRD_PARAMETER_DIGESTS, (one + "," + one).c_str());
	}
	EXPECT_EQ(host::whole_log(), "") << "the same one counts once";
	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: initrd.sha256=: more than 16 digests, " +
						       sha256(kArchive) + " is ignored"));
	expect_refused();
}

TEST_F(Verify, WhatIsRefusedIsNotRetained)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_RETAIN, "");
	initrd_set(INITRD_PARAMETER_DIGESTS, kOther.c_str());
	expect_refused();
	EXPECT_TRUE(host::published().empty());
}

TEST_F(Verify, WhatIsRefusedIsNotShownAsADevice)
{
	host::set_image(kImage);
	initrd_set(INITRD_PARAMETER_NOINITRD, "");
	initrd_set(INITRD_PARAMETER_DIGESTS, kOther.c_str());
	expect_refused();
	EXPECT_EQ(host::image_device_size(), 0u);
}

TEST_F(Verify, ABootConfigurationAtTheEndCounts)
{
	host::set_image(kArchive + host::to_data("key = value"));
	host::cut_image(11);
	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
	expect_refused();
	again();
	host::set_image(kArchive + host::to_data("key = value"));
	host::cut_image(11);
	initrd_set(INITRD_PARAMETER_DIGESTS,
		   sha256(kArchive + host::to_data("key = value")).c_str());
	boot();
	EXPECT_EQ(text("a"), "1");
}

// --- parts, as loaders join them ----------------------------------------------------------

const Data kMore = Archive().file("b", "2").data(); // iPXE writes no trailer

Data extra(const std::string &name = ".extra/os-release", u32 mode = 0100444, u32 nlink = 1)
{
	return Archive()
		.add({.name = ".extra", .mode = 0040555})
		.add({.name = name, .mode = mode, .data = "ID=x", .nlink = nlink})
		.trailer()
		.data();
}

TEST_F(Verify, EachPartByItsOwnDigest)
{
	// As GRUB, iPXE and the EFI stub join them.
	for (const size_t pad : {1u, 4u, 512u, 4096u}) {
		for (const Data &first : {kArchive, kMore, host::gzip(kArchive), host::xz(kArchive),
					  kArchive + Data(1024 - kArchive.size() % 512),
					  kArchive + host::to_data("x=1\n#BOOTCONFIG\n")}) {
			// (One of them begins with a skippable frame.)
			for (const Data &second :
			     {kMore, host::zstd(kMore),
			      Data{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 'x'} + host::zstd(kMore)}) {
				SCOPED_TRACE(testing::Message() << pad << " " << first.size());
				Data joined = first;

				joined.resize((joined.size() + pad - 1) / pad * pad);
				const size_t at = joined.size();

				again();
				initrd_set(INITRD_PARAMETER_DIGESTS,
					   (sha256(second) + "," + sha256(first)).c_str());
				host::set_image(joined + second);
				initrd_verify();
				EXPECT_FALSE(host::logged("initrd: image refused"))
					<< host::whole_log();
				EXPECT_TRUE(host::logged(
					SEAM_LOG_INFO,
					"initrd: image verified: " + std::to_string(first.size()) +
						" bytes at offset 0, sha256 " + sha256(first)));
				EXPECT_TRUE(host::logged(
					SEAM_LOG_INFO,
					"initrd: image verified: " + std::to_string(second.size()) +
						" bytes at offset " + std::to_string(at) +
						", sha256 " + sha256(second)));
			}
		}
	}
}

TEST_F(Verify, PartsThatAreVerifiedAreUsed)
{
	const Data image = host::ext2_image(20480);

	initrd_set(INITRD_PARAMETER_DIGESTS,
		   (sha256(kArchive) + "," + sha256(host::gzip(image))).c_str());
	host::set_image(kArchive + Data(12) + host::gzip(image));
	boot();
	EXPECT_EQ(text("a"), "1");
	EXPECT_EQ(ram0(image.size()), image);
}

TEST_F(Verify, APartWithoutADigestIsRefused)
{
	for (const Data &image : {kArchive + kMore, kMore + kArchive, kArchive + kArchive + kMore,
				  kArchive + Data(4096) + host::gzip(kMore)}) {
		again();
		initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
		host::set_image(image);
		expect_refused();
		EXPECT_EQ(text("b"), "(nothing)");
	}
}

TEST_F(Verify, WhatFollowsAPartIsSaid)
{
	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
	host::set_image(kArchive + kMore);
	expect_refused();
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR,
				 "initrd: its first " + std::to_string(kArchive.size()) +
					 " bytes have a wanted digest, what follows at offset " +
					 std::to_string(kArchive.size()) + " (cpio, " +
					 std::to_string(kMore.size()) + " bytes) has none"))
		<< host::whole_log();
}

TEST_F(Verify, AFewNulsBehindAreSaid)
{
	for (const size_t nuls : {1u, 2u, 3u, 4096u}) {
		again();
		initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
		host::set_image(kArchive + Data(nuls));
		expect_refused();
		EXPECT_TRUE(host::logged(SEAM_LOG_ERR,
					 "initrd: its first " + std::to_string(kArchive.size()) +
						 " bytes have a wanted digest, " +
						 std::to_string(nuls) + " NULs follow"))
			<< host::whole_log();
	}
}

TEST_F(Verify, ExtraArchivesOnlyWhereTheyAreAllowed)
{
	const Data image = kArchive + extra() + extra(".extra/boot-secret", 0100400);

	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
	host::set_image(image);
	expect_refused();
	EXPECT_NE(host::whole_log().find("initrd.unnamed=extra"), std::string::npos);
	again();
	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
	initrd_set(INITRD_PARAMETER_UNNAMED, "extra");
	host::set_image(image);
	boot();
	EXPECT_EQ(text("a"), "1") << host::whole_log();
	EXPECT_EQ(text(".extra/os-release"), "ID=x");
	EXPECT_TRUE(host::logged(SEAM_LOG_INFO, "initrd: archive of /.extra at offset " +
							std::to_string(kArchive.size())));
}

TEST_F(Verify, ExtraArchivesHoldNothingElse)
{
	const Data hidden = Archive()
				    .add({.name = ".extra", .mode = 0040555})
				    .file("init", "bad")
				    .trailer()
				    .data();

	for (const Data &bad :
	     {extra("init"), extra("/init"), extra(".extra/../init"), extra(".extra/.."),
	      extra(".extra2/x"), extra(".extra/link", 0120777), extra(".extra/node", 0020666),
	      extra(".extra/x", 0100644, 2), extra(".extra", 0100644), hidden,
	      extra() + Archive().file("init", "bad").trailer().data(), host::gzip(extra()),
	      Archive().add({.name = ".extra", .mode = 0040555}).data(), Data(2) + extra()}) {
		again();
		initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
		initrd_set(INITRD_PARAMETER_UNNAMED, "extra");
		host::set_image(kArchive + bad);
		expect_refused();
	}
	// Alone they are nothing that was asked for.
	again();
	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
	initrd_set(INITRD_PARAMETER_UNNAMED, "extra");
	host::set_image(extra());
	expect_refused();
}

TEST_F(Verify, AnUnknownWordForUnnamedPartsIsSaid)
{
	initrd_set(INITRD_PARAMETER_UNNAMED, "all");
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR,
				 "initrd: initrd.unnamed=all: neither refuse nor extra, ignored"));
	initrd_set(INITRD_PARAMETER_UNNAMED, "extra");
	initrd_set(INITRD_PARAMETER_UNNAMED, "refuse");
	initrd_set(INITRD_PARAMETER_DIGESTS, sha256(kArchive).c_str());
	host::set_image(kArchive + extra());
	expect_refused();
}

TEST_F(Verify, VeryManyBeginningsAreNoReasonToHashForEver)
{
	Data noise(1 << 20);

	for (size_t i = 0; i < noise.size(); i++)
		noise[i] = i % 2 ? 0x8b : 0x1f;
	initrd_set(INITRD_PARAMETER_DIGESTS, kOther.c_str());
	host::set_image(noise);
	expect_refused();
}

TEST_F(Verify, EnforcedAWrongImageStopsTheMachine)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, kOther.c_str());
	initrd_set(INITRD_PARAMETER_VERIFICATION, "enforce");
	EXPECT_THROW(initrd_populate_rootfs(), host::Panic);
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, refused(kArchive) + "wanted " + kOther));
	EXPECT_EQ(text("a"), "(nothing)");
}

TEST_F(Verify, EnforcedNoImageStopsTheMachine)
{
	initrd_set(INITRD_PARAMETER_VERIFICATION, "enforce");
	EXPECT_THROW(initrd_populate_rootfs(), host::Panic);
}

TEST_F(Verify, EnforcedWithoutADigestNoImageIsRight)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_VERIFICATION, "enforce");
	EXPECT_THROW(initrd_populate_rootfs(), host::Panic);
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, refused(kArchive) + "no digest is given"));
}

TEST_F(Verify, TheLastModeCounts)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, kOther.c_str());
	initrd_set(INITRD_PARAMETER_VERIFICATION, "enforce");
	initrd_set(INITRD_PARAMETER_VERIFICATION, "refuse");
	expect_refused();
}

TEST_F(Verify, AnUnknownModeIsSaid)
{
	host::set_image(kArchive);
	initrd_set(INITRD_PARAMETER_DIGESTS, kOther.c_str());
	for (const char *mode : {"", "off", "enforced", "ENFORCE"}) {
		initrd_set(INITRD_PARAMETER_VERIFICATION, mode);
		EXPECT_TRUE(host::logged(SEAM_LOG_ERR,
					 std::string("initrd: initrd.verify=") + mode +
						 ": neither refuse nor enforce, ignored"));
	}
	expect_refused();
}

} // namespace
