# Exploratory factor analyses of the ECSI survey with three factors.
# R 4.2.2, psych 2.2.9, GPArotation 2022.10-2. In this folder: Rscript factors.R factors.csv parallel.csv
suppressMessages({library(psych); library(GPArotation)})
d <- read.csv("../../../data/ecsi_mobile/mobi.csv")
order_ <- c(paste0("IMAG", 1:5), paste0("CUEX", 1:3), paste0("PERQ", 1:7), paste0("PERV", 1:2), paste0("CUSA", 1:3), "CUSCO", paste0("CUSL", 1:3))
d <- d[order_]; n <- nrow(d); p <- ncol(d); R <- cor(d)
rows <- list()
put <- function(quantity, scale, term, estimate, method)
  rows[[length(rows) + 1]] <<- data.frame(quantity, scale, term, group = "", estimate, n, method)
q <- function(e) suppressWarnings(suppressMessages(e))
for (fm in c("minres", "ml")) for (rot in c("none", "varimax", "promax", "oblimin")) {
  f <- q(fa(R, 3, n.obs = n, fm = fm, rotate = rot))
  L <- unclass(f$loadings); Phi <- if (is.null(f$Phi)) diag(3) else f$Phi
  v <- colSums(L * (L %*% Phi)) / p                     # variance explained by each factor
  o <- order(-v); s <- sign(colSums(L))[o]              # largest first, sum of loadings positive
  L <- sweep(L[, o], 2, s, "*"); Phi <- Phi[o, o] * outer(s, s); S <- L %*% Phi
  m <- paste(fm, rot, sep = "; ")
  for (k in 1:3) {
    put("variance_explained", paste0("F", k), "", v[o][k], m)
    for (j in 1:p) {
      put("loading", paste0("F", k), order_[j], L[j, k], m)
      if (rot %in% c("promax", "oblimin")) put("structure", paste0("F", k), order_[j], S[j, k], m)
    }
  }
  if (rot %in% c("promax", "oblimin")) for (a in 1:2) for (b in (a + 1):3) put("factor_correlation", paste0("F", a), paste0("F", b), Phi[a, b], m)
  for (j in 1:p) if (rot == "oblimin") put("communality", "", order_[j], f$communality[[j]], fm)
  if (rot == "oblimin") put("variance_explained", "", "", mean(f$communality), fm)
}
K <- cor(d, method = "spearman")
put("kmo", "", "", KMO(K)$MSA, "spearman")
for (j in 1:p) put("eigenvalue", "", as.character(j), eigen(K)$values[j], "spearman")
out <- cbind(do.call(rbind, rows), std_error = NA, statistic = NA, df = NA, p_value = NA, conf_low = NA, conf_high = NA)
columns <- c("quantity", "scale", "term", "group", "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "n", "method")
write.csv(out[columns], commandArgs(TRUE)[1], row.names = FALSE, na = "")

# parallel analysis of unrelated normal data of the same size; the Monte Carlo error is about 0.003
set.seed(1)
e <- replicate(4000, eigen(cor(matrix(rnorm(n * p), n)), only.values = TRUE)$values)
write.csv(data.frame(term = 1:p, mean = rowMeans(e), percentile_95 = apply(e, 1, quantile, .95)), commandArgs(TRUE)[2], row.names = FALSE)
