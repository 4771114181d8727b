# Where things are installed, and where modules look for the runtimes' libraries then. Three kinds of installations:
#   plain    the program goes on using the libraries that it was built with (make install)
#   bundle   they come along: packages that need nothing else (the preset "package")
#   wheel    the ones of the Python environment are used (pip wheel, which sets SKBUILD and its folders)
option(NONGEMM_BUNDLE "Install the runtimes' libraries, too: for packages that need nothing else" OFF)

if(SKBUILD)
  # The program stands in the environment's bin/, its modules in site-packages/nongemm/, beside the packages torch and
  # onnxruntime whatever the Python and its version; src/flows/load.cpp finds them there.
  set(NONGEMM_INSTALL_PROGRAM ${SKBUILD_SCRIPTS_DIR})
  set(NONGEMM_INSTALL_MODULES ${SKBUILD_PLATLIB_DIR}/nongemm)
  set(NONGEMM_INSTALL_SHARE ${SKBUILD_DATA_DIR}/share)
  set(NONGEMM_INSTALL_RPATH "$ORIGIN;$ORIGIN/../torch/lib;$ORIGIN/../nvidia/cu13/lib")
else()
  # bin/nongemm finds ../lib/nongemm/*.so, wherever the whole was moved to.
  set(NONGEMM_INSTALL_PROGRAM bin)
  set(NONGEMM_INSTALL_MODULES lib/nongemm)
  set(NONGEMM_INSTALL_SHARE share)
  set(NONGEMM_INSTALL_RPATH "$ORIGIN;$ORIGIN/torch/lib;$ORIGIN/nvidia/cu13/lib")
endif()

# What a module's run path says besides when it is installed plainly: the folders of the libraries that it was built with.
function(nongemm_install_rpath target)
  set(folders ${NONGEMM_INSTALL_RPATH})
  if(NOT SKBUILD AND NOT NONGEMM_BUNDLE)
    list(APPEND folders ${ARGN})
  endif()
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "${folders}")
endfunction()
