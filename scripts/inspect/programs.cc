// SPDX-License-Identifier: GPL-2.0

#include "inspect/programs.h"

#include <algorithm>

#include "initrd/support/bytes.h"

namespace inspect {
namespace {

using initrd::Bytes;

constexpr u32 kTypeMask = 0170000;
constexpr u32 kRegular = 0100000;
constexpr u32 kFolder = 0040000;

// This machine's own, in an ELF file's header.
#if defined(__x86_64__)
constexpr u32 kOwnMachine = 62;
#elif defined(__aarch64__)
constexpr u32 kOwnMachine = 183;
#elif defined(__riscv)
constexpr u32 kOwnMachine = 243;
#else
constexpr u32 kOwnMachine = 0;
#endif

// Numbers of an ELF file, of its own width and order.
class Elf {
public:
	explicit Elf(Bytes file) : file_(file), wide_(file[4] == 2), little_(file[5] == 1) {}

	bool wide() const { return wide_; }
	// 0 where it is not all there.
	u64 number(u64 at, size_t size) const
	{
		u64 value = 0;

		if (at > file_.size() || size > file_.size() - at)
			return 0;
		for (size_t i = 0; i < size; i++) {
			const u64 byte = file_[static_cast<size_t>(at) + i];

			value |= byte << 8 * (little_ ? i : size - 1 - i);
		}
		return value;
	}
	u32 machine() const { return static_cast<u32>(number(18, 2)); }
	// Fixed, or for any address; objects and cores are neither.
	bool is_program() const { return number(16, 2) == 2 || number(16, 2) == 3; }

private:
	Bytes file_;
	bool wide_;
	bool little_;
};

bool is_elf(Bytes head)
{
	return head.size() >= 52 && initrd::holds(head, 0,
						  "\x7f"
						  "ELF");
}

bool is_script(Bytes head)
{
	return initrd::holds(head, 0, "#!");
}

std::string text_of(Bytes bytes)
{
	const auto *const end = std::find_if(bytes.begin(), bytes.end(), [](u8 c) { return !c; });

	return {bytes.begin(), end};
}

std::string elf_loader(Bytes head)
{
	constexpr u64 kInterp = 3;
	const Elf elf(head);
	const u64 table = elf.wide() ? elf.number(32, 8) : elf.number(28, 4);
	const u64 size = elf.number(elf.wide() ? 54 : 42, 2);
	const u64 count = elf.number(elf.wide() ? 56 : 44, 2);

	for (u64 i = 0; size && i < count && table + i * size < head.size(); i++) {
		const u64 row = table + i * size;

		if (elf.number(row, 4) != kInterp)
			continue;
		const u64 at = elf.wide() ? elf.number(row + 8, 8) : elf.number(row + 4, 4);
		const u64 length = elf.wide() ? elf.number(row + 32, 8) : elf.number(row + 16, 4);

		if (at < head.size())
			return text_of(head.skip(static_cast<size_t>(at))
					       .first(static_cast<size_t>(
						       std::min<u64>(length, head.size()))));
	}
	return "";
}

// So much of a file the kernel looks at to find out what it is (BINPRM_BUF_SIZE).
constexpr size_t kLooked = 256;

// A script's first line, without what begins it; or what of it is looked at.
Bytes first_line(Bytes head)
{
	const Bytes line = head.first(kLooked).skip(2);

	return line.first(
		static_cast<size_t>(std::find(line.begin(), line.end(), u8{'\n'}) - line.begin()));
}

// The first word behind "#!", as binfmt_script finds it: "" where there is none, or where
// it goes on behind what is looked at.
std::string script_interpreter(Bytes head)
{
	const auto blank = [](u8 c) { return c == ' ' || c == '\t'; };
	const Bytes line = first_line(head);
	const auto *const from = std::find_if_not(line.begin(), line.end(), blank);
	const auto *const end = std::find_if(from, line.end(),
					     [&](u8 c) { return blank(c) || !c; });

	return end == line.end() && line.size() == kLooked - 2 ? "" : std::string(from, end);
}

// What programs of a kernel's are called in their headers, and the option without which
// they are not run, if there is one.
struct Kind {
	u32 number;
	const char *option = nullptr;
};

struct Machine {
	const char *option;
	std::vector<Kind> kinds;
};

const Machine kMachines[] = {
	{"X86_64", {{62}, {3, "IA32_EMULATION"}}},
	{"X86_32", {{3}}},
	{"ARM64", {{183}, {40, "COMPAT"}}},
	{"ARM", {{40}}},
	{"RISCV", {{243}}},
	{"PPC", {{20}, {21}}},
	{"MIPS", {{8}}},
	{"S390", {{22}}},
	{"SPARC", {{2}, {18}, {43}}},
	{"LOONGARCH", {{258}}},
	{"M68K", {{4}}},
	{"SUPERH", {{42}}},
	{"ARC", {{93}, {195}}},
	{"XTENSA", {{94}}},
	{"PARISC", {{15}}},
	{"CSKY", {{252}}},
	{"MICROBLAZE", {{189}}},
	{"NIOS2", {{113}}},
	{"OPENRISC", {{92}}},
	{"ALPHA", {{0x9026}}},
};

// For whom it is, where that has a name.
std::string machine_name(u32 number)
{
	for (const Machine &row : kMachines)
		if (row.kinds.front().number == number)
			return std::string(row.option) + ", ";
	return "";
}

void check_machine(const std::string &name, const Elf &elf, const Config &config, Report &report)
{
	const u32 number = elf.machine();

	for (const Machine &row : kMachines) {
		if (!config.built_in(row.option))
			continue;
		const auto kind = std::ranges::find(row.kinds, number, &Kind::number);

		if (kind == row.kinds.end())
			report.add(Severity::kError, "wrong-machine",
				   name + " is a program of another architecture (" +
					   machine_name(number) + "ELF machine " +
					   std::to_string(number) + "): error -8",
				   "put programs of the kernel's own architecture into it");
		else if (kind->option && !config.built_in(kind->option))
			report.add(Severity::kError, "no-binfmt",
				   name + " is a 32-bit program, and the kernel has no CONFIG_" +
					   kind->option,
				   std::string("set CONFIG_") + kind->option +
					   "=y, or put 64-bit programs into it");
		return;
	}
	if (!config.known() && number != kOwnMachine)
		report.add(Severity::kNote, "machine",
			   name + " is a program for " +
				   (machine_name(number).empty() ?
					    "another architecture than this machine's, " :
					    machine_name(number)) +
				   "ELF machine " + std::to_string(number),
			   "give the kernel's --config, to have that compared");
}

// Lines that end as on DOS: the carriage return belongs to the last word.
void check_line_end(const std::string &name, Bytes head, Report &report)
{
	const Bytes line = first_line(head);

	if (line.empty() || line[line.size() - 1] != '\r')
		return;
	const std::string interpreter = script_interpreter(head);
	const bool in_name = !interpreter.empty() && interpreter.back() == '\r';

	report.add(in_name ? Severity::kError : Severity::kWarning, "carriage-return",
		   name + "'s first line ends in a carriage return, which is " +
			   (in_name ? "a part of the interpreter's name: error -2" :
				      "handed to the interpreter with its argument"),
		   "take them out of the file (sed -i 's/\\r$//'), and make the image again");
}

void check_format(const std::string &name, Bytes head, const Config &config, Report &report)
{
	const auto lacks = [&](const char *option, const char *what) {
		if (!config.may_be_built_in(option))
			report.add(Severity::kError, "no-binfmt",
				   name + " is " + what + ", and the kernel has no CONFIG_" +
					   option,
				   std::string("set CONFIG_") + option + "=y");
	};

	if (is_script(head) && script_interpreter(head).empty()) {
		report.add(Severity::kError, "no-program-format",
			   name + " names no interpreter in its first " + std::to_string(kLooked) +
				   " bytes: error -8",
			   "#!/bin/sh, say");
	} else if (is_script(head)) {
		lacks("BINFMT_SCRIPT", "a script");
		check_line_end(name, head, report);
	} else if (is_elf(head) && !Elf(head).is_program()) {
		report.add(Severity::kError, "no-program-format",
			   name + " is an ELF file, but no program: error -8");
	} else if (is_elf(head)) {
		lacks("BINFMT_ELF", "an ELF program");
		check_machine(name, Elf(head), config, report);
	} else {
		report.add(Severity::kError, "no-program-format",
			   name + " is neither a script that begins with #! nor an ELF program: "
				  "error -8");
	}
}

void tell_missing(const std::string &name, const std::string &wanted_by, Report &report)
{
	if (wanted_by.empty())
		report.add(Severity::kError, "no-program", name + " is not there: error -2");
	else
		report.add(Severity::kError, "no-interpreter",
			   wanted_by + " needs " + name + ", which is not there: error -2",
			   "put it into the image, with the libraries that it needs");
}

// Behind so many findings.
bool has_errors(const Report &report, size_t behind)
{
	return std::any_of(report.findings.begin() + static_cast<std::ptrdiff_t>(behind),
			   report.findings.end(), [](const Finding &finding) {
				   return finding.severity == Severity::kError;
			   });
}

} // namespace

std::optional<std::string> interpreter_of(const std::vector<u8> &head)
{
	const Bytes bytes(head.data(), head.size());

	if (is_script(bytes))
		return script_interpreter(bytes);
	if (is_elf(bytes))
		return elf_loader(bytes);
	return std::nullopt;
}

bool check_program(Files &files, const std::string &path, const Config &config, Report &report)
{
	constexpr int kMostInterpreters = 5; // as in the kernel
	const size_t findings = report.findings.size();
	std::string name = path;
	std::string wanted_by;

	for (int depth = 0; depth < kMostInterpreters && !name.empty(); depth++) {
		const std::optional<File> file = files.find(name);
		const std::string shown = printable(name);

		if (!file) {
			tell_missing(shown, printable(wanted_by), report);
			break;
		}
		if ((file->mode & kTypeMask) != kRegular)
			report.add(Severity::kError, "no-program",
				   shown +
					   ((file->mode & kTypeMask) == kFolder ?
						    " is a folder" :
						    " is no regular file") +
					   ": error -13");
		else if (!(file->mode & 0111))
			report.add(Severity::kError, "not-executable",
				   shown + " has no permission to be executed: error -13",
				   "chmod +x " + shown + ", and make the image again");
		if (has_errors(report, findings))
			break;
		check_format(shown, Bytes(file->head.data(), file->head.size()), config, report);
		if (has_errors(report, findings))
			break;
		wanted_by = name;
		name = interpreter_of(file->head).value_or("");
	}
	return !has_errors(report, findings);
}

} // namespace inspect
