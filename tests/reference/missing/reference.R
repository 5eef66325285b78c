# Incomplete answers by R 4.2.2, lavaan 0.6-14. In this folder: Rscript reference.R moments.csv cfa.csv polychoric.csv means.csv
# The ECSI survey with answers taken out by rule (rows i and columns j from 0): those with (7 i + 13 j + i j) mod 17 = 0, IMAG5
# where IMAG4 is below 7 (missing at random), and all of row 30. Weighted: made-up weights 1, 2, 3, 1, 2, 3, ...
# moments.csv: saturated ML means and covariances (denominator n). cfa.csv: three constructs by FIML, in two stages (the
# saturated moments, then ML), the latter with chi-square and errors that know of the missing answers, and the regression
# of CUSA1 on three items (FIML, random regressors). "cfi.robust" scales the model of unrelated items by complete-data covariances,
# as lavaan does unless that model is fitted with robust errors: "cfi.robust.baseline". means.csv: means and standard errors (sandwich,
# without n / (n - 1) of rows, with that of clusters) of the saturated model of the first 12 items, also by weights and in clusters of five rows.
suppressMessages(library(lavaan))
a <- commandArgs(TRUE)
d <- read.csv("../../../data/ecsi_mobile/mobi.csv")
i <- row(d) - 1; j <- col(d) - 1
m <- d; m[(7 * i + 13 * j + i * j) %% 17 == 0] <- NA
m$IMAG5[d$IMAG4 < 7] <- NA
m[31, ] <- NA
w <- rep_len(1:3, nrow(d))
q <- suppressWarnings
items <- names(d)
saturated <- function(data, weights = NULL) {
  model <- paste(combn(items, 2, function(x) paste(x, collapse = " ~~ ")), collapse = "\n")
  data$w <- w
  keep <- rowSums(!is.na(data[items])) > 0
  f <- q(cfa(paste0("f =~ ", paste(items, collapse = " + ")), data[keep, ], missing = "ml", std.lv = TRUE, do.fit = FALSE,
             sampling.weights = weights, em.h1.tol = 1e-11, em.h1.iter.max = 5000))
  s <- lavInspect(f, "sampstat")
  list(mean = unclass(s$mean)[items], cov = unclass(s$cov)[items, items])
}
out <- NULL
for (kind in c("plain", "weighted")) {
  s <- saturated(m, if (kind == "weighted") "w" else NULL)
  out <- rbind(out, data.frame(data = kind, item = items, mean = sprintf("%.15g", s$mean), apply(s$cov, 2, function(x) sprintf("%.15g", x))))
}
write.csv(out, a[1], row.names = FALSE, quote = FALSE)
three <- "image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
satisfaction =~ CUSA1 + CUSA2 + CUSA3"
rows <- NULL
for (how in c("ml", "two.stage", "robust.two.stage")) {
  f <- q(cfa(three, m, std.lv = TRUE, missing = how, em.h1.tol = 1e-11, em.h1.iter.max = 5000))
  s <- standardizedSolution(f)
  s <- s[s$op == "=~" | (s$op == "~~" & s$lhs != s$rhs), ]
  rows <- rbind(rows, data.frame(method = how, quantity = ifelse(s$op == "=~", "standardized_loading", "factor_correlation"),
                                 scale = s$lhs, term = s$rhs, estimate = s$est.std, std_error = s$se))
  wanted <- c("chisq", "df", "cfi", "rmsea", "srmr", "nobs" )
  if (how != "ml") wanted <- c(wanted, "chisq.scaled", "chisq.scaling.factor", "cfi.robust", "rmsea.robust")
  fm <- fitMeasures(f); wanted <- intersect(wanted, names(fm))
  rows <- rbind(rows, data.frame(method = how, quantity = wanted, scale = "cfa", term = "", estimate = as.numeric(fm[wanted]), std_error = NA))
  if (how == "robust.two.stage") { b <- q(lavaan:::lav_object_independence(f, se = TRUE))
    rows <- rbind(rows, data.frame(method = how, quantity = "cfi.robust.baseline", scale = "cfa", term = "",
                                   estimate = as.numeric(fitMeasures(f, "cfi.robust", baseline.model = b)), std_error = NA)) }
  rows <- rbind(rows, data.frame(method = how, quantity = "n", scale = "cfa", term = "", estimate = lavInspect(f, "nobs"), std_error = NA))
}
f <- q(sem("CUSA1 ~ PERQ1 + PERQ2 + IMAG5", m, missing = "ml", fixed.x = FALSE))
p <- parameterEstimates(f); p <- p[p$op == "~", ]
rows <- rbind(rows, data.frame(method = "ml", quantity = "coefficient", scale = "drivers", term = p$rhs, estimate = p$est, std_error = p$se))
rows <- rbind(rows, data.frame(method = "ml", quantity = "r_squared", scale = "drivers", term = "", estimate = lavInspect(f, "r2")[["CUSA1"]], std_error = NA))
write.csv(rows, a[2], row.names = FALSE, na = "")
# polychoric.csv: the answers of ../polychoric with the same rule, each pair by the rows that answered both.
p <- read.csv("../polychoric/answers.csv")
p <- p[setdiff(names(p), c("weight", "cluster"))]
i <- row(p) - 1; j <- col(p) - 1
p[(7 * i + 13 * j + i * j) %% 17 == 0] <- NA
R <- unclass(q(lavCor(p, ordered = names(p), missing = "pairwise")))
write.csv(apply(R, 2, function(x) sprintf("%.15g", x)), a[3], row.names = FALSE, quote = FALSE)
first <- items[1:12]; m$w <- w; m$unit <- (seq_len(nrow(m)) - 1) %/% 5
whole <- paste(c(combn(first, 2, function(x) paste(x, collapse = " ~~ ")), paste(first, "~~", first), paste(first, "~ 1")), collapse = "\n")
out <- NULL
for (kind in c("plain", "weighted", "clustered", "both")) {
  f <- q(lavaan(whole, m[rowSums(!is.na(m[first])) > 0, ], missing = "ml", estimator = "MLR", fixed.x = FALSE,
                sampling.weights = if (kind %in% c("weighted", "both")) "w", cluster = if (kind %in% c("clustered", "both")) "unit",
                em.h1.tol = 1e-11, em.h1.iter.max = 5000, control = list(iter.max = 5000, eval.max = 5000, rel.tol = 1e-14)))
  e <- parTable(f); e <- e[e$op == "~1", ]
  out <- rbind(out, data.frame(data = kind, item = e$lhs, mean = sprintf("%.12g", e$est), std_error = sprintf("%.12g", e$se), n = lavInspect(f, "nobs")))
}
write.csv(out, a[4], row.names = FALSE, quote = FALSE)
