# Ordinal confirmatory factor analyses (WLSMV) by R 4.2.2, lavaan 0.6-14, semTools 0.5-6. In this folder: Rscript ordinal.R ordinal.csv ordinal_estimates.csv
# ordinal.csv: the nine tests of lavaan's HolzingerSwineford1939 cut into grades, and two of its columns as made-up design.
#   four_*: four grades at quartiles; crowded_*: five grades, most answers in the lowest, with empty cells; two_*: above the median or not.
# ordinal_estimates.csv: the three-factor model on each; `pair`: one factor with two items only; `weighted`: weights 1, 2, 3, 1, 2, 3, ...
# Nothing is added to empty cells. omega_ordinal: semTools compRelSEM of the same model (Green and Yang 2009).
suppressMessages({library(lavaan); library(semTools)})
a <- commandArgs(TRUE)
h <- HolzingerSwineford1939; x <- paste0("x", 1:9)
grades <- function(v, p) findInterval(v, quantile(v, p)) + 1
d <- data.frame(
  setNames(lapply(h[x], grades, c(.25, .5, .75)), paste0("four_", x)),
  setNames(lapply(h[x], grades, c(.55, .75, .87, .95)), paste0("crowded_", x)),
  setNames(lapply(h[x], grades, .5), paste0("two_", x)),
  w = rep_len(1:3, nrow(h)))
write.csv(d, a[1], row.names = FALSE, quote = FALSE)
rows <- list()
put <- function(data, quantity, scale, term, estimate, se, method)
  rows[[length(rows) + 1]] <<- data.frame(data, quantity, scale, term, group = "", estimate, std_error = se, statistic = NA, df = NA,
                                          p_value = NA, conf_low = NA, conf_high = NA, n = NA, method)
index <- list(chi2 = "chisq.scaled", model_df = "df.scaled", cfi = "cfi.scaled", tli = "tli.scaled", rmsea = "rmsea.scaled",
              rmsea_conf_low = "rmsea.ci.lower.scaled", rmsea_conf_high = "rmsea.ci.upper.scaled", srmr = "srmr")
model <- function(prefix, items) paste(sapply(names(items), function(f) paste(f, "=~", paste0(prefix, "_x", items[[f]], collapse = " + "))), collapse = "\n")
all9 <- list(visual = 1:3, textual = 4:6, speed = 7:9)
report <- function(data, prefix, items, method, ...) {
  v <- paste0(prefix, "_x", unlist(items))
  f <- suppressWarnings(cfa(model(prefix, items), d, std.lv = TRUE, ordered = v, zero.add = c(0, 0), ...))
  for (q in names(index)) put(data, q, "cfa", "", fitMeasures(f)[[index[[q]]]], NA, method)
  put(data, "p", "cfa", "", fitMeasures(f)[["pvalue.scaled"]], NA, method)
  s <- standardizedSolution(f)
  for (r in which(s$op == "=~")) put(data, "standardized_loading", s$lhs[r], s$rhs[r], s$est.std[r], s$se[r], method)
  for (r in which(s$op == "~~" & s$lhs != s$rhs)) put(data, "factor_correlation", s$lhs[r], s$rhs[r], s$est.std[r], s$se[r], method)
  o <- compRelSEM(f, ord.scale = TRUE)
  for (k in names(o)) put(data, "omega_ordinal", k, "", o[[k]], NA, method)
  f
}
report("four", "four", all9, "wlsmv")
report("crowded", "crowded", all9, "wlsmv")
report("two", "two", all9, "wlsmv")
report("pair", "four", list(visual = 1:3, textual = 4:5, speed = 7:9), "wlsmv")
report("weighted", "four", all9, "wlsmv; weighted", sampling.weights = "w")
write.csv(do.call(rbind, rows), a[2], row.names = FALSE, na = "")
