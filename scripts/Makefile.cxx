# SPDX-License-Identifier: GPL-2.0
#
# How C++ is built in Kbuild. A Kbuild file includes this and lists .cc files as
# objects like any others; those that only boot needs go into `init-cxx` too.
#
#   obj-y    += reader.o boot.o
#   init-cxx += boot.o            # code and data of boot.cc are freed after boot
#
# The kernel's own C flags are the base, so that C++ is built with the same code
# model, sanitizers and instrumentation as the C around it.

initrd-cxx-root := $(srctree)/init/initrd-cxx

# C shims include the project's headers by their path in the project, and the
# kernel's private init/do_mounts.h.
ccflags-y += -I$(initrd-cxx-root) -I$(srctree)/init

# For C only, or for compilers that do not build C++ here.
cxx-drop := -std=gnu% -Wstrict-prototypes -Werror=strict-prototypes \
	    -Wmissing-prototypes -Wmissing-declarations -Wold-style-definition \
	    -Werror=implicit-function-declaration -Werror=implicit-int \
	    -Werror=incompatible-pointer-types -Werror=designated-init \
	    -Wdeclaration-after-statement -Wno-pointer-sign -Wno-override-init \
	    -Wno-initializer-overrides -fplugin% -ffunction-sections -fdata-sections

cxx-add := -std=gnu++20 -ffreestanding -nostdinc++ -fno-exceptions -fno-rtti \
	   -fno-threadsafe-statics -fno-unique-section-names \
	   -fno-zero-initialized-in-bss -Werror=global-constructors \
	   -Werror=exit-time-destructors -Wall -Wextra -Wno-unused-parameter

# Clang keeps small data and constants in sections of their own on RISC-V.
cxx-add += $(if $(CONFIG_RISCV),-msmall-data-limit=0)

# Where it is on, BTF describes C only.
cxx-add += $(if $(CONFIG_DEBUG_INFO_BTF),-g0)

# compiler_types.h gives `inline` and `auto` meanings that C++ does not know.
cxx-c-header := -include $(srctree)/include/linux/compiler_types.h
cxx_flags = $(filter-out $(cxx-drop),$(subst $(cxx-c-header),,$(c_flags))) $(cxx-add) \
	    $(if $(cxx-is-init),-fno-jump-tables)

# Objects of boot code: bitcode has no sections to rename, and the tables that
# objtool looks for have to be in .rodata, so both are left out.
cxx-is-init = $(filter $(patsubst $(obj)/%,%,$@),$(init-cxx))
cxx_init_flags = $(filter-out $(CC_FLAGS_LTO),$(cxx_flags))

# Sections by name, since llvm-objcopy knows no patterns here.
cxx-init-rodata := .rodata .rodata.str1.1 .rodata.str1.2 .rodata.str1.4 .rodata.str1.8 \
		   .rodata.str1.16 .rodata.str1.32 .rodata.cst2 .rodata.cst4 .rodata.cst8 \
		   .rodata.cst16 .rodata.cst32
# Those with an l in front are of the large code model, which Clang has on UML.
cxx-init-sections := --rename-section .text=.init.text,alloc,load,readonly,code \
		     --rename-section .ltext=.init.text,alloc,load,readonly,code \
		     --rename-section .ldata=.init.data,alloc,load,data \
		     --rename-section .data=.init.data,alloc,load,data \
		     --rename-section .data.rel.ro=.init.data.rel.ro,alloc,load,data \
		     $(foreach s,$(cxx-init-rodata),--rename-section $(s)=.init$(s) \
		     --rename-section $(s:.%=.l%)=.init$(s))
cxx_to_init = $(if $(cxx-is-init), && $(OBJCOPY) $(cxx-init-sections) $@)

quiet_cmd_cxx_o_cc = CXX $(quiet_modtag) $@
      cmd_cxx_o_cc = $(CC) -x c++ $(if $(cxx-is-init),$(cxx_init_flags),$(cxx_flags)) \
		     -c -o $@ $< $(cxx_to_init) $(cmd_objtool)

define rule_cxx_o_cc
	$(call cmd_and_fixdep,cxx_o_cc)
	$(call cmd,gen_objtooldep)
	$(call cmd,record_mcount)
endef

$(obj)/%.o: $(src)/%.cc $(initrd-cxx-root)/scripts/Makefile.cxx FORCE
	$(call if_changed_rule,cxx_o_cc)
