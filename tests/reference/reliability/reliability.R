# Item statistics and reliability of the ECSI survey, plain and with made-up weights and clusters.
# R 4.2.2, psych 2.2.9, lavaan 0.6-14, survey 4.1-1. In this folder: Rscript reliability.R reliability.csv
suppressMessages({library(psych); library(lavaan); library(survey)})
d <- read.csv("../../../data/ecsi_mobile/mobi.csv")
C <- list(image = paste0("IMAG", 1:5), expectation = paste0("CUEX", 1:3), quality = paste0("PERQ", 1:7),
          value = paste0("PERV", 1:2), satisfaction = paste0("CUSA", 1:3), complaints = "CUSCO", loyalty = paste0("CUSL", 1:3))
n <- nrow(d); i <- seq_len(n) - 1
w <- i %% 5 + 1                      # weight 1 to 5
g <- i %% 25                         # 25 clusters
rows <- list()
put <- function(quantity, scale, term, group, estimate, method, se = NA, df = NA, lo = NA, hi = NA)
  rows[[length(rows) + 1]] <<- data.frame(quantity, scale, term, group, estimate, std_error = se, df, conf_low = lo, conf_high = hi, n, method)

# plain
for (k in names(C)) for (v in C[[k]]) {
  x <- d[[v]]; t <- table(x)
  put("item_median", k, v, "", median(x), "")
  put("item_mode", k, v, "", as.numeric(names(t)[which.max(t)]), "")       # the lowest of several
  for (a in 1:10) put("item_share", k, v, as.character(a), mean(x == a), "")
  m <- t.test(x)
  put("item_mean", k, v, "", mean(x), "", m$stderr, m$parameter, m$conf.int[1], m$conf.int[2])
}
for (k in names(C)) if (length(C[[k]]) > 1) {
  x <- d[C[[k]]]; p <- ncol(x); odd <- seq(1, p, 2)
  r <- cor(rowSums(x[odd]), rowSums(x[-odd]))
  put("split_half", k, "", "", 2 * r / (1 + r), "odd-even; spearman-brown")
  put("mean_inter_item_correlation", k, "", "", suppressWarnings(psych::alpha(x, warnings = FALSE))$total$average_r, "")
}
# weighted, clustered
s <- svydesign(ids = ~g, weights = ~w, data = cbind(d, g, w))
for (k in names(C)) for (v in C[[k]]) {
  m <- svymean(as.formula(paste0("~", v)), s); ci <- confint(m, df = degf(s))
  put("item_mean", k, v, "", coef(m)[[1]], "weighted; clustered", SE(m)[[1]], degf(s), ci[1], ci[2])
  put("item_sd", k, v, "", sqrt(sum(w / mean(w) * (d[[v]] - coef(m)[[1]])^2) / (n - 1)), "weighted")
}
for (k in names(C)) if (length(C[[k]]) > 1) {
  S <- cov.wt(d[C[[k]]], w / sum(w))$cov; p <- ncol(S)
  put("alpha", k, "", "", p / (p - 1) * (1 - sum(diag(S)) / sum(S)), "weighted; clustered")
  put("alpha_standardized", k, "", "", { R <- cov2cor(S); p / (p - 1) * (1 - p / sum(R)) }, "weighted; clustered")
  for (j in seq_len(p)) put("item_rest_correlation", k, C[[k]][j], "",
    sum(S[j, -j]) / sqrt(S[j, j] * sum(S[-j, -j])), "weighted; clustered")
  if (p > 2 && k != "loyalty") {       # a Heywood case
    f <- cfa(paste("f =~", paste(C[[k]], collapse = "+")), sample.cov = S, sample.nobs = n, sample.cov.rescale = FALSE, std.lv = TRUE)
    put("omega_total", k, "", "", sum(lavInspect(f, "est")$lambda)^2 / sum(S), "one-factor ml; weighted; clustered")
  }
}
out <- cbind(do.call(rbind, rows), statistic = NA, p_value = NA)
columns <- c("quantity", "scale", "term", "group", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "n", "method")
write.csv(out[columns], commandArgs(TRUE)[1], row.names = FALSE, na = "")
