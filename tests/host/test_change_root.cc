// SPDX-License-Identifier: GPL-2.0
// load/: linuxrc and change_root, call by call.

#include <algorithm>

#include "boots.h"
#include "initrd/load/ramdisk_loader.h"

namespace {

using namespace initrd;
using host::kPage;

class ChangeRoot : public host::Boot {
protected:
	void SetUp() override
	{
		host::set_image(host::ext2_image(5 * kPage));
		host::root().device = 0x801;
	}

	/* Another machine with the same image. */
	void begin_again()
	{
		again();
		SetUp();
	}

	static std::vector<std::string> calls() { return host::root().calls; }

	static bool called(const std::string &call)
	{
		const auto all = calls();

		return std::find(all.begin(), all.end(), call) != all.end();
	}
};

TEST_F(ChangeRoot, RunsLinuxrcAndMountsTheRealRoot)
{
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_EQ(calls(), (std::vector<std::string>{
				   "node /dev/root.old 0x100",
				   "mount /dev/root.old /root ext2",
				   "cd /root",
				   "cd /old",
				   "linuxrc",
				   "own files",
				   "own console",
				   "cd /root",
				   "mount . / - move",
				   "chroot .",
				   "own session",
				   "mount .. . - move",
				   "chroot ..",
				   "cd /",
				   "mount root /dev/sda1",
				   "mount /old /root/initrd - move",
			   }));
	EXPECT_TRUE(
		host::logged(SEAM_LOG_INFO, "VFS: Mounted root (ext2 filesystem) on device 1:0."));
	EXPECT_TRUE(host::logged(SEAM_LOG_NOTICE, "Trying to move old root to /initrd ... okay"));
	EXPECT_EQ(host::node_at("/old")->permissions(), 0700u);
}

TEST_F(ChangeRoot, LinuxrcFindsTheRootDeviceInRealRootDevAndMayChangeIt)
{
	u32 found = 0;

	host::root().linuxrc = [&found] {
		found = host::root().real_device;
		host::root().real_device = 0x802;
		return 0;
	};
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_EQ(found, 0x801u);
	EXPECT_EQ(host::root().device, 0x802u);
}

TEST_F(ChangeRoot, LinuxrcMayChooseTheInitrdItself)
{
	host::root().linuxrc = [] {
		host::root().real_device = 0x100;
		return 0;
	};
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_EQ(calls().back(), "cd /old");
	EXPECT_FALSE(called("mount root /dev/sda1"));
}

TEST_F(ChangeRoot, WithoutAnInitrdFolderTheOldRootIsUnmounted)
{
	host::root().move_status = -kNoEntry;
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_EQ(calls().back(), "detach /old");
	EXPECT_TRUE(host::logged("Trying to move old root to /initrd ... /initrd does not exist."
				 " Ignored."));
	EXPECT_TRUE(host::logged("Unmounting old root"));
	EXPECT_TRUE(host::logged(SEAM_LOG_INFO, "initrd: 20 KiB of /dev/ram0 given back"));
	EXPECT_EQ(host::image_pages(), "RRRRR") << "the RAM disk was emptied";
}

TEST_F(ChangeRoot, WithAnInitrdFolderTheRamDiskKeepsItsPages)
{
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_EQ(host::image_pages(), "HHHHH");
}

TEST_F(ChangeRoot, TheRamDiskIsEmptiedAfterItsLastUser)
{
	host::root().move_status = -kNoEntry;
	host::root().linuxrc = [] {
		host::open_disk(0);
		return 0;
	};
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_EQ(host::image_pages(), "HHHHH") << "a process was left in the initrd";
	EXPECT_TRUE(host::logged(SEAM_LOG_NOTICE, "initrd: /dev/ram0 is in use: its 20 KiB will"
						  " be given back by the last user"));
	host::close_disk(0);
	EXPECT_EQ(host::image_pages(), "RRRRR");
}

TEST_F(ChangeRoot, LooksForTheRootAgainWhenLinuxrcNamedNone)
{
	host::root().device = 0;
	host::root().devices["/dev/sdb2"] = 0x812;
	// The last one counts, and nothing of the one before.
	initrd_see("root", "/dev/disk/by-id/x");
	initrd_see("root", "/dev/sdb2");
	EXPECT_EQ(boot("/dev/sdb2"), 1);
	EXPECT_EQ(host::root().device, 0x812u);
	EXPECT_TRUE(called("wait for drivers"));
}

TEST_F(ChangeRoot, DoesNotWaitForTheRootUnlessItIsTold)
{
	host::root().device = 0;
	initrd_see("root", "/dev/sdb2");
	EXPECT_EQ(boot("/dev/sdb2"), 1);
	EXPECT_EQ(host::root().device, 0u) << "mount_root() says what it misses";
	EXPECT_EQ(host::root().look_ups, 1u);
}

TEST_F(ChangeRoot, RootwaitWaitsForTheRootThatLinuxrcBrings)
{
	host::root().device = 0;
	host::root().devices["PARTUUID=1234-02"] = 0x812;
	host::root().look_ups_before_devices = 7;
	initrd_see("root", "PARTUUID=1234-02");
	initrd_see("rootwait", "");
	EXPECT_EQ(boot("PARTUUID=1234-02"), 1);
	EXPECT_EQ(host::root().device, 0x812u);
	EXPECT_TRUE(host::logged("Waiting for root device PARTUUID=1234-02..."));
}

TEST_F(ChangeRoot, RootwaitEndsWithItsSeconds)
{
	host::root().device = 0;
	initrd_see("root", "/dev/sdb2");
	initrd_see("rootwait", "2");
	EXPECT_EQ(boot("/dev/sdb2"), 1);
	EXPECT_EQ(host::root().device, 0u);
	EXPECT_GT(host::root().look_ups, 100u);
	EXPECT_LT(host::root().look_ups, 1000u) << "there are pauses";
}

TEST_F(ChangeRoot, RootwaitOfZeroOrOfWhatIsNoNumber)
{
	host::root().device = 0;
	initrd_see("root", "/dev/sdb2");
	initrd_see("rootwait", "0");
	EXPECT_EQ(boot("/dev/sdb2"), 1);
	EXPECT_EQ(host::root().look_ups, 1u) << "no waiting";

	begin_again();
	host::root().device = 0;
	host::root().devices["/dev/sdb2"] = 0x812;
	host::root().look_ups_before_devices = 3000;
	initrd_see("root", "/dev/sdb2");
	initrd_see("rootwait", "5x");
	EXPECT_EQ(boot("/dev/sdb2"), 1);
	EXPECT_EQ(host::root().device, 0x812u) << "for ever";
}

TEST_F(ChangeRoot, RootwaitIsNotForANameThatCannotBeRight)
{
	host::root().device = 0;
	host::root().root_name_is_wrong = true;
	initrd_see("root", "/dev/disk/by-uuid/01234567-89ab-cdef-0123-456789abcdef");
	initrd_see("rootwait", "");
	EXPECT_EQ(boot(""), 1);
	EXPECT_EQ(host::root().look_ups, 1u);
	for (const char *name : {"PARTUUID=", "/dev/", "8:1"}) {
		begin_again();
		host::root().device = 0;
		initrd_see("rootwait", "");
		initrd_see("root", name);
		EXPECT_EQ(boot(name), 1);
		EXPECT_EQ(host::root().look_ups, 1u) << name;
	}
}

TEST_F(ChangeRoot, RootwaitWaitsForDriversThatAreStillLooking)
{
	host::root().device = 0;
	host::root().devices["/dev/sdb2"] = 0x812;
	host::root().look_ups_before_devices = 1;
	host::root().busy_drivers = 4;
	initrd_see("root", "/dev/sdb2");
	initrd_see("rootwait", "");
	EXPECT_EQ(boot("/dev/sdb2"), 1);
	EXPECT_EQ(host::root().device, 0x812u);
	EXPECT_EQ(host::root().look_ups, 2u);

	const std::vector<std::string> all = calls();

	EXPECT_EQ(std::count(all.begin(), all.end(), "wait for drivers"), 2)
		<< "its partitions come after the disk";
}

TEST_F(ChangeRoot, RootwaitIsNotForFileSystemsWithoutADevice)
{
	host::root().device = 0;
	initrd_see("root", "myfs");
	initrd_see("rootwait", "");
	EXPECT_EQ(boot("myfs"), 1);
	EXPECT_EQ(host::root().look_ups, 1u);
}

TEST_F(ChangeRoot, DoesNotLookForTheRootWhenThereIsOne)
{
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_EQ(host::root().look_ups, 0u);
}

TEST_F(ChangeRoot, AMoveThatFailsIsNamed)
{
	host::root().move_status = -kInvalid;
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_TRUE(host::logged("Trying to move old root to /initrd ... failed"));
	EXPECT_EQ(calls().back(), "detach /old");
}

TEST_F(ChangeRoot, ALinuxrcThatFailsIsNamedAndTheBootGoesOn)
{
	host::root().linuxrc = [] { return 0x100; };
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING, "initrd: linuxrc exited with status 1"));
	EXPECT_TRUE(called("mount root /dev/sda1"));
}

TEST_F(ChangeRoot, TheStatusOfLinuxrcIsReported)
{
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_TRUE(host::logged(SEAM_LOG_INFO, "initrd: linuxrc exited with status 0"));
}

TEST_F(ChangeRoot, ALinuxrcThatIsKilledIsNamedAndTheBootGoesOn)
{
	host::root().linuxrc = [] { return 0x80 | 11; };
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING, "initrd: linuxrc was killed by signal 11"));
	EXPECT_TRUE(called("mount root /dev/sda1"));
}

TEST_F(ChangeRoot, ALinuxrcThatCannotBeRunIsNamedAndTheBootGoesOn)
{
	host::root().linuxrc = [] { return -13; };
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING, "initrd: /linuxrc could not be run, error 13"));
	EXPECT_TRUE(called("mount root /dev/sda1"));
}

TEST_F(ChangeRoot, AMissingLinuxrcIsNamedAndTheBootGoesOn)
{
	host::root().linuxrc = [] { return -kNoEntry; };
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_TRUE(host::logged(SEAM_LOG_WARNING,
				 "initrd: no /linuxrc, or not the interpreter that it names"));
	EXPECT_TRUE(called("mount root /dev/sda1"));
}

TEST_F(ChangeRoot, MountsReadOnlyWhatCannotBeWritten)
{
	host::root().mountable_as = "squashfs";
	host::root().writable = false;
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_EQ(calls()[1], "mount /dev/root.old /root ext2");
	EXPECT_EQ(calls()[2], "mount /dev/root.old /root squashfs");
	EXPECT_TRUE(called("mount /dev/root.old /root squashfs ro"));
	EXPECT_TRUE(
		host::logged("VFS: Mounted root (squashfs filesystem) readonly on device 1:0."));
}

TEST_F(ChangeRoot, TriesTheTypesOfRootfstypeFirst)
{
	host::root().mountable_as = "minix";
	initrd_see("rootfstype", "xfs,,minix");
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_EQ(calls()[1], "mount /dev/root.old /root xfs");
	EXPECT_EQ(calls()[2], "mount /dev/root.old /root minix");
}

TEST_F(ChangeRoot, TriesAllTypesWhenThoseOfRootfstypeDoNotFit)
{
	initrd_see("rootfstype", "xfs");
	EXPECT_EQ(boot("/dev/sda1"), 1);
	EXPECT_EQ(calls()[2], "mount /dev/root.old /root xfs ro");
	EXPECT_EQ(calls()[3], "mount /dev/root.old /root ext2");
}

TEST_F(ChangeRoot, WhatCannotBeMountedLeavesTheRealRootToTheKernel)
{
	host::root().mountable_as = "nothing";
	host::root().before_mount = [] { host::plant("/dev/root.old", 0060600); };
	EXPECT_EQ(boot("/dev/sda1"), 0);
	EXPECT_EQ(host::tree(), "dev") << "its node goes, too";
	EXPECT_FALSE(called("linuxrc"));
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: going on to the real root: no file system"
					       " that the kernel has could mount /dev/ram0"));
	EXPECT_EQ(host::image_pages(), "RRRRR") << "the RAM disk was emptied";
}

// The disk was made for the load, and has just been looked at for partitions.
TEST_F(ChangeRoot, ADiskThatNothingWasLoadedIntoHasNoUsers)
{
	initrd_set(INITRD_PARAMETER_START_BLOCK, "1000");
	EXPECT_EQ(boot("/dev/sda1"), 0);
	EXPECT_TRUE(host::gendisks()[0].visible);
	EXPECT_FALSE(host::logged("initrd: /dev/ram0 is in use")) << host::whole_log();
	EXPECT_EQ(host::gendisks()[0].closing, 0u);
}

TEST_F(ChangeRoot, GarbageDoesNotKeepTheRealRootFromBeingMounted)
{
	host::set_image(host::gzip(host::sample(50000)));
	host::root().mountable_as = "nothing";
	EXPECT_EQ(boot("/dev/sda1"), 0);
	EXPECT_EQ(host::live().pages, 0u);
	expect_no_page_left();
}

TEST_F(ChangeRoot, ABrokenImageIsNotMountedInPlaceOfTheRealRoot)
{
	host::Data packed = host::xz(host::ext2_image(50000));

	packed[packed.size() / 2] ^= 0xff;
	host::set_image(packed);
	EXPECT_EQ(boot("/dev/sda1"), 0);
	EXPECT_TRUE(calls().empty());
	EXPECT_TRUE(host::logged(SEAM_LOG_ERR, "initrd: XZ-compressed data is corrupt"));
	EXPECT_EQ(host::live().pages, 0u);
}

TEST_F(ChangeRoot, DoesNotHappenForARootOnTheRamDisk)
{
	host::root().device = 0x100;
	EXPECT_EQ(boot("/dev/ram0"), 0);
	EXPECT_TRUE(calls().empty());
}

TEST_F(ChangeRoot, DoesNotHappenForAPartitionOfTheRamDisk)
{
	host::set_minors(16);
	host::root().device = 0x101;
	EXPECT_EQ(boot("/dev/ram0p1"), 0);
	EXPECT_TRUE(calls().empty());
	EXPECT_EQ(host::gendisks()[0].rescans, 1u);
}

// brd.rd_nr=0: the name is known, though there was no disk when the kernel looked.
TEST_F(ChangeRoot, DoesNotHappenForTheNameOfARamDiskThatIsMadeForTheImage)
{
	host::root().device = 0;
	initrd_see("root", "/dev/ram0");
	EXPECT_EQ(boot("/dev/ram0"), 0);
	EXPECT_EQ(host::root().device, 0x100u);
	EXPECT_TRUE(calls().empty());
}

TEST_F(ChangeRoot, ANamedRamDiskIsMadeForIt)
{
	host::root().device = 0;
	initrd_see("root", "/dev/ram3");
	EXPECT_EQ(boot("/dev/ram3"), 1);
	EXPECT_TRUE(host::gendisks()[3].visible);
	EXPECT_EQ(host::root().device, 0x103u);
}

TEST_F(ChangeRoot, WhatIsNoRamDisksNameMakesNone)
{
	for (const char *const name :
	     {"/dev/ram", "/dev/ramdisk", "/dev/ram250", "ram3", "/dev/sdram3",
	      "/dev/ram99999999999999999999999", "/dev/ram1048576", ""}) {
		SCOPED_TRACE(name);
		EXPECT_EQ(root::find_ramdisk(name), 0u);
	}
	EXPECT_EQ(host::gendisks().size(), 0u);
	EXPECT_EQ(root::find_ramdisk("/dev/ram5p1"), 0u) << "made, but it has no such partition";
	EXPECT_EQ(root::find_ramdisk("/dev/ram5"), 0x105u);
}

TEST_F(ChangeRoot, HappensForARootOnAnotherRamDisk)
{
	host::root().device = 0x101;
	EXPECT_EQ(boot("/dev/ram1"), 1);
	EXPECT_TRUE(called("mount root /dev/ram1"));
}

} // namespace
