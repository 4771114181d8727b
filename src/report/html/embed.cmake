# Puts page.html with its style and scripts into a C++ file: cmake -DOUTPUT=... -DFOLDER=... -DSCRIPTS=a.js,b.js -P embed.cmake
file(READ ${FOLDER}/page.html page)
file(READ ${FOLDER}/page.css style)
string(REPLACE "," ";" SCRIPTS "${SCRIPTS}")
set(script)
foreach(name IN LISTS SCRIPTS)
  file(READ ${FOLDER}/${name} text)
  string(APPEND script "${text}")
endforeach()
string(REPLACE "@CSS@" "${style}" page "${page}")
string(REPLACE "@JS@" "${script}" page "${page}")
string(FIND "${page}" "@DATA@" place)
string(SUBSTRING "${page}" 0 ${place} before)
math(EXPR place "${place} + 6")
string(SUBSTRING "${page}" ${place} -1 after)
file(WRITE ${OUTPUT} "#include <array>\n\n#include \"report/html/page.h\"\n\nnamespace nongemm {\n\n\
std::span<const PagePiece> page_pieces() {\n\
  static constexpr std::array<PagePiece, 2> kPieces = {{{R\"page(${before})page\", true}, {R\"page(${after})page\", false}}};\n\
  return kPieces;\n}\n\n}  // namespace nongemm\n")
