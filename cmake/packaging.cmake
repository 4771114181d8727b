# What is installed besides program and modules, and what packages hold.
option(NONGEMM_BUNDLE "Install the runtimes' libraries, too: for packages that need nothing else" OFF)

# Completions and the man page, from the program's own option table.
set(shell_files)
foreach(kind IN ITEMS bash zsh fish man)
  set(file ${CMAKE_BINARY_DIR}/generated/nongemm.${kind})
  add_custom_command(OUTPUT ${file} COMMAND nongemm list ${kind} > ${file} DEPENDS nongemm VERBATIM)
  list(APPEND shell_files ${file})
endforeach()
add_custom_target(shell_files DEPENDS ${shell_files})
add_dependencies(runtime shell_files)
install(FILES ${CMAKE_BINARY_DIR}/generated/nongemm.bash DESTINATION share/bash-completion/completions RENAME nongemm)
install(FILES ${CMAKE_BINARY_DIR}/generated/nongemm.zsh DESTINATION share/zsh/vendor-completions RENAME _nongemm)
install(FILES ${CMAKE_BINARY_DIR}/generated/nongemm.fish DESTINATION share/fish/vendor_completions.d)
install(FILES ${CMAKE_BINARY_DIR}/generated/nongemm.man DESTINATION share/man/man1 RENAME nongemm.1)

# Modules look here first (INSTALL_RPATH in targets.cmake).
if(NONGEMM_BUNDLE AND TorchWheel_LIBRARY_DIR)
  install(DIRECTORY ${TorchWheel_LIBRARY_DIR}/ DESTINATION lib/nongemm/torch/lib FILES_MATCHING PATTERN "*.so*")
endif()
if(NONGEMM_BUNDLE AND OrtWheel_LIBRARY_DIR)
  install(DIRECTORY ${OrtWheel_LIBRARY_DIR}/ DESTINATION lib/nongemm FILES_MATCHING PATTERN "libonnxruntime.so*")
endif()

# cpack -G DEB, cpack -G TGZ: the latter is relocatable.
set(CPACK_PACKAGE_NAME nongemm)
set(CPACK_PACKAGE_VENDOR "nongemm")
set(CPACK_PACKAGE_CONTACT "nongemm <nongemm@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "where inference time goes besides matrix multiplication")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${TorchWheel_LIBRARY_DIR} ${OrtWheel_LIBRARY_DIR})
include(CPack)
