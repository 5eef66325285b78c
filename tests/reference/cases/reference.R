# Reference values of the case comparison: Rscript reference.R reference.csv chickwts.csv studentized_range.csv
# R 4.2.2 with stats and survey. Data: `chickwts` of R's datasets (McNeil 1977), with made-up weights and clusters (some shared by groups).
suppressMessages(library(survey))
a <- commandArgs(TRUE)
d <- chickwts; d$i <- seq_len(nrow(d))
d$design <- 1 + (d$i * 7) %% 5 / 2; d$pen <- (d$i * 5) %% 9; d$coop <- paste0(d$feed, d$i %% 4)
write.csv(d[c("weight", "feed", "design", "pen", "coop")], a[2], row.names = FALSE)
groups <- sort(as.character(unique(d$feed))); k <- length(groups); out <- NULL
put <- function(quantity, term = "", group = "", estimate, se = NA, t = NA, df = NA, p = NA, low = NA, high = NA, n = nrow(d), method = "")
  out <<- rbind(out, data.frame(quantity, scale = "weight", term, group, estimate = as.numeric(estimate), std_error = as.numeric(se),
                                statistic = as.numeric(t), df = as.numeric(df), p_value = as.numeric(p), conf_low = as.numeric(low),
                                conf_high = as.numeric(high), n, method, row.names = NULL))
ncp <- function(cdf, start, tail) { lo <- start - 1; while (cdf(lo) < tail) lo <- lo - 1; hi <- start + 1; while (cdf(hi) > tail) hi <- hi + 1
  uniroot(function(x) cdf(x) - tail, c(lo, hi), tol = 1e-13)$root }
for (g in groups) {
  y <- d$weight[d$feed == g]; t <- t.test(y)
  put("group_mean", group = g, estimate = mean(y), se = sd(y) / sqrt(length(y)), df = length(y) - 1, low = t$conf.int[1], high = t$conf.int[2], n = length(y), method = "plain")
  s <- d[d$feed == g, ]
  for (type in c("weighted", "clustered", "weighted; clustered")) {
    s$w <- if (grepl("weighted", type)) s$design else 1
    q <- svydesign(ids = if (grepl("clustered", type)) ~pen else ~1, weights = ~w, data = s)
    m <- svymean(~weight, q); h <- qt(.975, degf(q)) * SE(m)
    put("group_mean", group = g, estimate = coef(m), se = SE(m), df = degf(q), low = coef(m) - h, high = coef(m) + h, n = length(y), method = type)
  }
}
w <- oneway.test(weight ~ feed, d)
put("welch_f", estimate = w$statistic, t = w$statistic, df = w$parameter[[1]], p = w$p.value, method = "plain")
put("welch_df_denominator", estimate = w$parameter[[2]], method = "plain")
h <- kruskal.test(weight ~ feed, d)
put("kruskal_h", estimate = h$statistic, t = h$statistic, df = h$parameter, p = h$p.value, method = "plain")
av <- summary(aov(weight ~ feed, d))[[1]]; ss <- av[, 2]; ms <- av[2, 3]; f <- av[1, 4]; n <- nrow(d)
bound <- function(tail) if (pf(f, k - 1, n - k) <= tail) 0 else uniroot(function(x) pf(f, k - 1, n - k, x) - tail, c(0, 500), tol = 1e-12)$root
low <- bound(.975); high <- bound(.025)
put("eta_squared", estimate = ss[1] / sum(ss), low = low / (low + n), high = high / (high + n), method = "plain")
put("omega_squared", estimate = (ss[1] - (k - 1) * ms) / (sum(ss) + ms), method = "plain")
for (i in 1:(k - 1)) for (j in (i + 1):k) {
  x <- d$weight[d$feed == groups[i]]; y <- d$weight[d$feed == groups[j]]; nx <- length(x); ny <- length(y); term <- paste(groups[i], "-", groups[j])
  v <- c(var(x) / nx, var(y) / ny); se <- sqrt(sum(v)); df <- sum(v)^2 / sum(v^2 / c(nx - 1, ny - 1)); gap <- mean(x) - mean(y)
  stopifnot(abs(df - t.test(x, y)$parameter) < 1e-10)
  half <- qtukey(.95, k, df) / sqrt(2) * se
  put("mean_difference", term, estimate = gap, se = se, t = gap / se, df = df, p = ptukey(sqrt(2) * abs(gap / se), k, df, lower.tail = FALSE), low = gap - half, high = gap + half, n = nx + ny, method = "games howell")
  m <- nx + ny - 2; s <- sqrt(((nx - 1) * var(x) + (ny - 1) * var(y)) / m); dd <- gap / s; t <- t.test(x, y, var.equal = TRUE)$statistic[[1]]
  scale <- sqrt(1 / nx + 1 / ny); cdf <- function(l) pt(t, m, l)
  low <- ncp(function(l) -cdf(-l), -t, -.975); low <- -low; high <- -ncp(function(l) -cdf(-l), -t, -.025)
  J <- exp(lgamma(m / 2) - lgamma((m - 1) / 2)) / sqrt(m / 2)
  put("cohens_d", term, estimate = dd, low = low * scale, high = high * scale, n = nx + ny, method = "plain")
  put("hedges_g", term, estimate = J * dd, low = J * low * scale, high = J * high * scale, n = nx + ny, method = "plain")
}
# Wald tests: pens are shared by feeds, coops are not. Covariances by the sandwich, each feed with its own G / (G - 1).
wald <- function(cluster, weight, method) {
  codes <- unique(cluster); G <- sapply(groups, function(g) length(unique(cluster[d$feed == g])))
  m <- sapply(groups, function(g) weighted.mean(d$weight[d$feed == g], weight[d$feed == g]))
  Z <- sapply(groups, function(g) sapply(codes, function(c) { u <- d$feed == g; i <- u & cluster == c
    sum(weight[i] * (d$weight[i] - m[[g]])) / sum(weight[u]) })) %*% diag(sqrt(G / (G - 1)))
  V <- crossprod(Z)
  for (i in 1:(k - 1)) for (j in (i + 1):k) {
    v <- diag(V)[c(i, j)]; se <- sqrt(sum(v) - 2 * V[i, j]); both <- length(unique(cluster[d$feed %in% groups[c(i, j)]]))
    df <- min(sum(v)^2 / sum(v^2 / (G[c(i, j)] - 1)), both - 1); gap <- m[[i]] - m[[j]]; half <- qtukey(.95, k, df) / sqrt(2) * se
    put("mean_difference", paste(groups[i], "-", groups[j]), estimate = gap, se = se, t = gap / se, df = df,
        p = ptukey(sqrt(2) * abs(gap / se), k, df, lower.tail = FALSE), low = gap - half, high = gap + half,
        n = sum(d$feed %in% groups[c(i, j)]), method = method)
  }
  C <- cbind(-1, diag(k - 1)); W <- drop(t(C %*% m) %*% solve(C %*% V %*% t(C), C %*% m)); r <- k - 1
  if (all(abs(V - diag(diag(V))) < 1e-14)) { s <- 1 / diag(V); L <- sum((1 - s / sum(s))^2 / (G - 1)); f <- W / r / (1 + 2 * (r - 1) / (r * (r + 2)) * L); d2 <- r * (r + 2) / (3 * L) }
  else { q <- length(codes) - 1; d2 <- q - r + 1; f <- W * d2 / (q * r) }
  put("wald_f", estimate = f, t = f, df = r, p = pf(f, r, d2, lower.tail = FALSE), method = method)
  put("wald_df_denominator", estimate = d2, method = method)
}
wald(d$pen, d$design, "pen"); wald(d$coop, d$design, "coop"); wald(d$i, d$design, "row")
options(digits = 17); write.csv(out, a[1], row.names = FALSE, na = "")
q <- expand.grid(q = c(1, 2, 3.5, 6), groups = c(2, 3, 4, 7, 20), df = c(5, 11.3, 55.3, 400))
q$sf <- mapply(ptukey, q$q, q$groups, q$df, lower.tail = FALSE); q$q95 <- mapply(function(k, df) qtukey(.95, k, df), q$groups, q$df)
write.csv(q, a[3], row.names = FALSE)
cat(R.version.string, "survey", as.character(packageVersion("survey")), "\n")
