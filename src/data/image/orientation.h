// The orientation that cameras store beside the pixels (EXIF 2.3, tag 0x0112), and turning an image accordingly.
#pragma once

#include <string_view>

#include "data/image/image.h"

namespace nongemm::data {

/// Orientation in a TIFF block, as it stands in EXIF data (without the leading "Exif\0\0"); 0 when there is none.
int orientation_in_exif(std::string_view tiff);
/// Orientation in an XMP packet (tiff:Orientation), which PIL takes when EXIF has none; 0 when there is none.
int orientation_in_xmp(std::string_view xmp);

/// The image turned upright. Orientations other than 2 to 8 leave it alone.
Image oriented(Image image, int orientation);

}  // namespace nongemm::data
