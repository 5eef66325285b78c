# Confirmatory factor analyses by R 4.2.2, lavaan 0.6-14. In this folder: Rscript reference.R holzinger.csv estimates.csv
# holzinger.csv: covariances (denominator n - 1) of the nine tests of lavaan's HolzingerSwineford1939 (Holzinger and Swineford 1939).
# estimates.csv: its three-factor model; and the ECSI survey, plain, with made-up weights 1, 2, 3, 1, 2, 3, ..., in
# made-up clusters of ten rows in their order, and with both.
suppressMessages(library(lavaan))
a <- commandArgs(TRUE)
h <- HolzingerSwineford1939[paste0("x", 1:9)]
S <- cov(h); write.csv(data.frame(item = rownames(S), apply(S, 2, function(x) sprintf("%.17g", x))), a[1], row.names = FALSE, quote = FALSE)
rows <- list()
put <- function(data, quantity, scale, term, estimate, se, method)
  rows[[length(rows) + 1]] <<- data.frame(data, quantity, scale, term, group = "", estimate, std_error = se, statistic = NA, df = NA,
                                          p_value = NA, conf_low = NA, conf_high = NA, n = NA, method)
fit_of <- function(data, f, method, idx) for (q in names(idx)) put(data, q, "cfa", "", fitMeasures(f)[[idx[[q]]]], NA, method)
plain <- list(chi2 = "chisq", model_df = "df", cfi = "cfi", tli = "tli", rmsea = "rmsea", rmsea_conf_low = "rmsea.ci.lower",
              rmsea_conf_high = "rmsea.ci.upper", srmr = "srmr", aic = "aic", bic = "bic")
robust <- list(chi2 = "chisq.scaled", cfi = "cfi.robust", tli = "tli.robust", rmsea = "rmsea.robust",
               rmsea_conf_low = "rmsea.ci.lower.robust", rmsea_conf_high = "rmsea.ci.upper.robust", scaling_factor = "chisq.scaling.factor")
numbers <- function(data, f, method) {
  s <- standardizedSolution(f)
  for (r in which(s$op == "=~")) put(data, "standardized_loading", s$lhs[r], s$rhs[r], s$est.std[r], s$se[r], method)
  for (r in which(s$op == "~~" & s$lhs != s$rhs)) put(data, "factor_correlation", s$lhs[r], s$rhs[r], s$est.std[r], s$se[r], method)
}
local_misfit <- function(data, f) {
  m <- modindices(f, sort. = TRUE, maximum.number = 10)
  for (r in seq_len(nrow(m))) {
    kind <- if (m$op[r] == "=~") "cross-loading" else "residual covariance"
    put(data, "modification_index", m$lhs[r], m$rhs[r], m$mi[r], NA, paste0("ml; ", kind))
    put(data, "expected_change", m$lhs[r], m$rhs[r], m$sepc.all[r], NA, paste0("ml; ", kind))
  }
  R <- resid(f, type = "cor")$cov; v <- rownames(R)
  for (i in seq_along(v)) for (j in seq_along(v)) if (i < j) put(data, "residual_correlation", v[i], v[j], R[i, j], NA, "ml")
}
three <- "visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6\n speed =~ x7 + x8 + x9"
f <- cfa(three, sample.cov = S, sample.nobs = nrow(h), std.lv = TRUE)
fit_of("holzinger", f, "ml", plain); numbers("holzinger", f, "ml"); local_misfit("holzinger", f)
d <- read.csv("../../../data/ecsi_mobile/mobi.csv"); d$w <- rep_len(1:3, nrow(d)); d$k <- (seq_len(nrow(d)) - 1) %/% 10
ecsi <- "image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
expectation =~ CUEX1 + CUEX2 + CUEX3
quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
value =~ PERV1 + PERV2
satisfaction =~ CUSA1 + CUSA2 + CUSA3
loyalty =~ CUSL1 + CUSL2 + CUSL3"
q <- suppressWarnings
f <- q(cfa(ecsi, d, std.lv = TRUE))
fit_of("ecsi", f, "ml", plain); numbers("ecsi", f, "ml"); local_misfit("ecsi", f)
f <- q(cfa(ecsi, d, std.lv = TRUE, estimator = "MLR")); fit_of("ecsi", f, "mlr", robust); numbers("ecsi", f, "mlr")
f <- q(cfa(ecsi, d, std.lv = TRUE, estimator = "MLR", sampling.weights = "w"))
fit_of("weighted", f, "mlr; weighted", robust); numbers("weighted", f, "mlr; weighted")
f <- q(cfa(ecsi, d, std.lv = TRUE, estimator = "MLR", cluster = "k"))
fit_of("clustered", f, "mlr; clustered", robust); numbers("clustered", f, "mlr; clustered")
f <- q(cfa(ecsi, d, std.lv = TRUE, estimator = "MLR", sampling.weights = "w", cluster = "k"))
fit_of("both", f, "mlr; weighted; clustered", robust); numbers("both", f, "mlr; weighted; clustered")
write.csv(do.call(rbind, rows), a[2], row.names = FALSE, na = "")
