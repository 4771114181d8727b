// Student's t distribution: how far an estimate from few processes may be off.
#pragma once

namespace nongemm {

/// P(T > t) for `freedom` degrees of freedom (> 0), to about 1e-10.
double student_tail(double t, double freedom);
/// The t with P(|T| <= t) = confidence, 0 < confidence < 1.
double student_bound(double confidence, double freedom);

}  // namespace nongemm
