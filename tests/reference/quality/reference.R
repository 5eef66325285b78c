# Data quality: Rscript reference.R answers.csv careless.csv design_effects.csv littles_mcar.csv
# Indices of careless answering by the definitions of R's careless (not in Debian), written out with base R and psych::outlier.
suppressMessages({library(psych); library(survey)})
files <- commandArgs(TRUE)
write <- function(x, file) {
  x[] <- lapply(x, function(v) if (is.numeric(v)) ifelse(is.na(v), "", sprintf("%.17g", v)) else v)
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}

# 60 respondents, 12 items on a scale of 1 to 5 in four scales of three; q3 and q8 are worded the other way round
set.seed(11)
general <- rnorm(60); answers <- sapply(1:12, function(i) {
  scale <- (i - 1) %/% 3
  set.seed(100 + scale); own <- rnorm(60); set.seed(200 + i)
  y <- .5 * general + .6 * own + .5 * rnorm(60)
  x <- findInterval(y, c(-1.2, -.4, .4, 1.2)) + 1
  if (i %in% c(3, 8)) 6 - x else x
})
colnames(answers) <- paste0("q", 1:12)
set.seed(12)
answers[1, ] <- 4; answers[2, ] <- c(rep(3, 7), 4, 3, 3, 2, 3); answers[3, ] <- sample(1:5, 12, TRUE)
answers[cbind(4:13, sample(12, 10, TRUE))] <- NA
answers[14, ] <- NA; answers[15, 4:12] <- NA
write(as.data.frame(answers), files[1])

longstring <- function(x) max(rle(x)$lengths * !is.na(rle(x)$values), 0)
evenodd <- function(x, factors) {
  start <- cumsum(c(1, factors)); pairs <- sapply(seq_along(factors), function(j) {
    own <- x[start[j]:(start[j + 1] - 1)]
    c(mean(own[seq(2, length(own), 2)], na.rm = TRUE), mean(own[seq(1, length(own), 2)], na.rm = TRUE))
  })
  if (sum(colSums(is.nan(pairs)) == 0) < 3) return(NA)
  r <- suppressWarnings(cor(pairs[1, ], pairs[2, ], use = "pairwise.complete.obs"))
  if (is.na(r)) NA else max(2 * r / (1 + r), -1)
}
synonyms <- function(x, pairs) {
  there <- !is.na(x[pairs[, 1]]) & !is.na(x[pairs[, 2]])
  if (sum(there) < 3) NA else suppressWarnings(cor(x[pairs[there, 1]], x[pairs[there, 2]]))
}
turned <- answers; turned[, c(3, 8)] <- 6 - turned[, c(3, 8)]
r <- cor(answers, use = "pairwise.complete.obs")
pairs <- which(lower.tri(r) & r > .4, arr.ind = TRUE)[, 2:1]
complete <- answers[complete.cases(answers), ]
careless <- data.frame(
  longest = apply(answers, 1, longstring),
  variability = apply(answers, 1, sd, na.rm = TRUE),
  even_odd = apply(turned, 1, evenodd, rep(3, 4)),
  synonyms = apply(answers, 1, synonyms, pairs),
  distance = sapply(seq_len(60), function(i) {
    there <- !is.na(answers[i, ])
    if (!any(there)) return(0)
    mahalanobis(answers[i, there], colMeans(complete)[there], cov(complete)[there, there, drop = FALSE])
  })
)
stopifnot(all.equal(careless$distance[complete.cases(answers)], as.numeric(outlier(complete, plot = FALSE))))
write(careless, files[2])

rows <- data.frame(
  y = c(2.5, 3, 1, 4, 5, 4.5, 2, 1.5, 3.5, 4, 2, 5),
  w = c(.5, 1.2, 2, .7, 1, 1.5, .3, 2.2, 1, .9, 1.1, .6),
  k = c(1, 1, 2, 2, 3, 3, 4, 5, 5, 5, 6, 6)
)
designs <- list(
  weighted = svydesign(~1, weights = ~w, data = rows),
  clustered = svydesign(~k, weights = ~1, data = rows),
  both = svydesign(~k, weights = ~w, data = rows)
)
write(data.frame(design = names(designs), deff = sapply(designs, function(d) deff(svymean(~y, d, deff = "replace")))), files[3])

# Little's (1988) test with the ML covariance (denominator n), as naniar::mcar_test and BaylorEdPsych::LittleMCAR compute it
em <- function(x, tolerance = 1e-12) {
  x <- as.matrix(x); n <- nrow(x); p <- ncol(x)
  mu <- colMeans(x, na.rm = TRUE); sigma <- diag(apply(x, 2, function(v) mean((v - mean(v, na.rm = TRUE))^2, na.rm = TRUE)))
  repeat {
    first <- numeric(p); second <- matrix(0, p, p)
    for (i in seq_len(n)) {
      o <- !is.na(x[i, ]); y <- x[i, ]; extra <- matrix(0, p, p)
      if (!all(o)) {
        b <- sigma[!o, o, drop = FALSE] %*% solve(sigma[o, o, drop = FALSE])
        y[!o] <- mu[!o] + b %*% (x[i, o] - mu[o])
        extra[!o, !o] <- sigma[!o, !o] - b %*% sigma[o, !o, drop = FALSE]
      }
      first <- first + y; second <- second + tcrossprod(y) + extra
    }
    new <- list(mu = first / n, sigma = second / n - tcrossprod(first / n))
    change <- max(abs(new$mu - mu) / sqrt(diag(sigma)), abs(new$sigma - sigma) / sqrt(tcrossprod(diag(sigma))))
    mu <- new$mu; sigma <- new$sigma
    if (change < tolerance) return(new)
  }
}
mcar <- function(x) {
  x <- as.matrix(x); x <- x[rowSums(!is.na(x)) > 0, ]; fit <- em(x)
  key <- apply(!is.na(x), 1, paste, collapse = ""); chi2 <- 0; df <- -ncol(x)
  for (k in unique(key)) {
    own <- x[key == k, , drop = FALSE]; o <- !is.na(own[1, ])
    d <- colMeans(own[, o, drop = FALSE]) - fit$mu[o]
    chi2 <- chi2 + nrow(own) * drop(d %*% solve(fit$sigma[o, o, drop = FALSE]) %*% d); df <- df + sum(o)
  }
  c(chi2 = chi2, df = df, p = pchisq(chi2, df, lower.tail = FALSE), patterns = length(unique(key)))
}
tests <- rbind(airquality = mcar(airquality), answers = mcar(answers))
write(data.frame(data = rownames(tests), tests), files[4])
out <- airquality; rownames(out) <- NULL
write(out, file.path(dirname(files[4]), "airquality.csv"))
