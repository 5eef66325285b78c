# Reference values of the driver analysis: Rscript reference.R reference.csv attitude.csv
# R 4.2.2, sandwich, stats. Data: `attitude` of R's datasets (Chatterjee & Price 1977), with made-up weights and clusters.
library(sandwich)
a <- commandArgs(TRUE)
d <- attitude
d$weight <- 1 + (seq_len(30) * 7) %% 5 / 2
d$cluster <- (seq_len(30) * 11) %% 10
write.csv(d, a[2], row.names = FALSE)
drivers <- c("complaints", "privileges", "learning", "raises", "critical", "advance")
out <- NULL
put <- function(quantity, term, estimate, se = NA, t = NA, df = NA, p = NA, low = NA, high = NA, method = "", scale = "drivers")
  out <<- rbind(out, data.frame(quantity, scale, term, group = "", estimate, std_error = se, statistic = t, df, p_value = p,
                                conf_low = low, conf_high = high, n = 30, method))
f <- reformulate(drivers, "rating")
slopes <- function(fit, V, df, method) for (i in drivers) {
  b <- coef(fit)[[i]]; s <- sqrt(V[i, i]); h <- qt(.975, df) * s
  put("coefficient", i, b, s, b / s, df, 2 * pt(-abs(b / s), df), b - h, b + h, method)
}
plain <- lm(f, d); weighted <- lm(f, d, weights = weight)
slopes(plain, vcovHC(plain, "HC3"), plain$df.residual, "ols; hc3")
slopes(weighted, vcovHC(weighted, "HC3"), weighted$df.residual, "ols; weighted; hc3")
slopes(plain, vcovCL(plain, cluster = ~cluster, type = "HC1"), 9, "ols; clustered; cr1")
slopes(weighted, vcovCL(weighted, cluster = ~cluster, type = "HC1"), 9, "ols; weighted; clustered; cr1")
importance <- function(R, method) {
  p <- nrow(R) - 1
  r2 <- function(s) if (length(s)) sum(solve(R[s, s, drop = FALSE], R[s, p + 1]) * R[s, p + 1]) else 0
  put("r_squared", "", r2(1:p), method = method)
  put("adjusted_r_squared", "", 1 - (1 - r2(1:p)) * 29 / (29 - p), method = method)
  orders <- function(v) if (length(v) < 2) list(v) else do.call(c, lapply(v, function(i) lapply(orders(setdiff(v, i)), function(o) c(i, o))))
  gained <- rowMeans(sapply(orders(1:p), function(o) { g <- numeric(p); for (k in 1:p) g[o[k]] <- r2(o[1:k]) - r2(o[seq_len(k - 1)]); g }))
  e <- eigen(R[1:p, 1:p]); root <- e$vectors %*% diag(sqrt(e$values)) %*% t(e$vectors)
  johnson <- drop(root^2 %*% solve(root, R[1:p, p + 1])^2)
  beta <- solve(R[1:p, 1:p], R[1:p, p + 1]); vif <- diag(solve(R[1:p, 1:p]))
  for (k in 1:p) {
    put("importance_lmg", drivers[k], gained[k], method = method); put("importance_johnson", drivers[k], johnson[k], method = method)
    put("beta", drivers[k], beta[k], method = method); put("vif", drivers[k], vif[k], method = method)
  }
}
x <- d[c(drivers, "rating")]
importance(cor(x), "plain")
importance(cov.wt(x, d$weight, cor = TRUE)$cor, "weighted")
for (i in drivers) {
  p <- cor.test(d[[i]], d$rating)
  put("correlation", i, p$estimate, t = p$statistic, df = p$parameter, p = p$p.value, low = p$conf.int[1], high = p$conf.int[2],
      method = "pearson", scale = "rating")
  r <- cor(d[[i]], d$rating, method = "spearman"); t <- r * sqrt(28 / (1 - r^2)); h <- qnorm(.975) * sqrt((1 + r^2 / 2) / 27)
  stopifnot(abs(2 * pt(-abs(t), 28) - cor.test(rank(d[[i]]), rank(d$rating))$p.value) < 1e-12)
  put("correlation", i, r, t = t, df = 28, p = 2 * pt(-abs(t), 28), low = tanh(atanh(r) - h), high = tanh(atanh(r) + h),
      method = "spearman", scale = "rating")
  put("correlation", i, cov.wt(d[c(i, "rating")], d$weight, cor = TRUE)$cor[1, 2], method = "pearson; weighted", scale = "rating")
}
options(digits = 17); write.csv(out, a[1], row.names = FALSE, na = "")
cat(R.version.string, "sandwich", as.character(packageVersion("sandwich")), "\n")
