# Means of constructs by group of incomplete answers, by R 4.2.2, lavaan 0.6-14. In this folder: Rscript groups.R groups.csv
# The answers of reference.R, every third row a group: saturated means and covariances of the items of each construct in each group (FIML,
# sandwich errors without n / (n - 1)), and the mean of these means.
suppressMessages(library(lavaan))
d <- read.csv("../../../data/ecsi_mobile/mobi.csv")
i <- row(d) - 1; j <- col(d) - 1
m <- d; m[(7 * i + 13 * j + i * j) %% 17 == 0] <- NA
m$IMAG5[d$IMAG4 < 7] <- NA
m[31, ] <- NA
m$third <- (seq_len(nrow(m)) - 1) %% 3
out <- NULL
for (name in c("image", "satisfaction")) {
  items <- if (name == "image") paste0("IMAG", 1:5) else paste0("CUSA", 1:3)
  x <- m[rowSums(!is.na(m[items])) > 0, ]; x <- x[order(x$third), ]
  label <- function(item) paste0(item, " ~ c(", paste0(item, "_", 0:2, collapse = ", "), ") * 1")
  model <- paste(c(combn(items, 2, function(x) paste(x, collapse = " ~~ ")), paste(items, "~~", items), sapply(items, label),
                   sapply(0:2, function(g) paste0("mean_", g, " := (", paste0(items, "_", g, collapse = " + "), ") / ", length(items)))), collapse = "\n")
  f <- suppressWarnings(lavaan(model, x, group = "third", missing = "ml", estimator = "MLR", fixed.x = FALSE, em.h1.tol = 1e-11,
                               em.h1.iter.max = 5000, control = list(iter.max = 5000, eval.max = 5000, rel.tol = 1e-14)))
  p <- parTable(f); k <- p$op == ":="
  out <- rbind(out, data.frame(scale = name, group = 0:2, estimate = sprintf("%.12g", p$est[k]), std_error = sprintf("%.12g", p$se[k]),
                               n = lavInspect(f, "nobs")))
}
write.csv(out, commandArgs(TRUE)[1], row.names = FALSE, quote = FALSE)
