# Rscript reference.R   (in this folder; R 4.2.2, lavaan 0.6-14, polycor 0.8-1, psych 2.2.9, Matrix 1.5-3, semTools 0.5-6)
# Writes answers.csv (simulated), pairs.csv, thresholds.csv, nearest.csv, map.csv, harman74.csv, factors.csv, ekc.csv
suppressMessages({library(lavaan); library(polycor); library(psych); library(Matrix)})
set.seed(20241)
n <- 260
general <- rnorm(n); two <- matrix(rnorm(2*n), n)
latent <- sapply(1:7, function(j) .5*general + .6*two[, 1 + (j > 4)] + .62*rnorm(n))
cuts <- list(q2=0.2, q3=c(-1, .6), q4=c(.3, 1, 1.7), q5=c(-1.2, -.4, .3, 1.1), q6=c(-1.5, -1, -.9, .2, .8),
             q7=c(-1.6, -.9, -.2, .4, .9, 1.5), q5s=c(-2.2, -1.8, -1.4, -.9))
x <- as.data.frame(mapply(function(j, k) findInterval(latent[, j], k) + 1, 1:7, cuts)); names(x) <- names(cuts)
x$q7[x$q7 == 3] <- 4                             # a category that is never used
w <- sample(c(.5, 1, 1.5, 3), n, TRUE)
write.csv(cbind(x, weight=w), "answers.csv", row.names=FALSE)

pairs <- t(combn(names(x), 2))
plain <- lavCor(x, ordered=names(x), zero.add=c(0, 0))
est <- lavCor(x, ordered=names(x), zero.add=c(0, 0), output="est", se="robust.sem", estimator="WLSMV")
est <- est[est$op == "~~" & est$lhs != est$rhs, ]
weighted <- sapply(seq_len(nrow(pairs)), function(k)
  polychor(xtabs(w ~ x[[pairs[k, 1]]] + x[[pairs[k, 2]]]), ML=FALSE))
find <- function(a, b) est$se[(est$lhs == a & est$rhs == b) | (est$lhs == b & est$rhs == a)]
out <- data.frame(first=pairs[, 1], second=pairs[, 2], lavaan=plain[pairs], lavaan_se=mapply(find, pairs[, 1], pairs[, 2]),
                  weighted_polycor=weighted)
write.csv(format(out, digits=15), "pairs.csv", row.names=FALSE, quote=FALSE)
th <- do.call(rbind, lapply(names(x), function(j) data.frame(item=j, threshold=qnorm(cumsum(prop.table(table(x[[j]])))[-length(unique(x[[j]]))]))))
write.csv(format(th, digits=15), "thresholds.csv", row.names=FALSE, quote=FALSE)

bad <- matrix(c(1, .9, -.3, .6,  .9, 1, .5, .2,  -.3, .5, 1, .8,  .6, .2, .8, 1), 4)
near <- as.matrix(nearPD(bad, corr=TRUE, conv.tol=1e-12, maxit=5000, doDykstra=TRUE)$mat)
write.csv(format(as.data.frame(cbind(bad, near)), digits=15), "nearest.csv", row.names=FALSE, quote=FALSE)

m <- read.csv("../../../data/ecsi_mobile/mobi.csv"); m <- m[, !(names(m) %in% c("CUEX1"))]
m <- m[complete.cases(m), ]
map_of <- function(R, n, k) vss(R, n=k, rotate="none", n.obs=n, plot=FALSE)$map
ecsi <- suppressMessages(suppressWarnings(map_of(cor(m), nrow(m), 10)))
har <- suppressMessages(suppressWarnings(map_of(Harman74.cor$cov, 145, 10)))
write.csv(format(data.frame(factors=1:10, ecsi=ecsi, harman74=har), digits=15), "map.csv", row.names=FALSE, quote=FALSE)
write.csv(format(as.data.frame(Harman74.cor$cov), digits=6), "harman74.csv", row.names=FALSE, quote=FALSE)

names7 <- names(x); plain <- unclass(plain)[names7, names7]; k <- KMO(plain); bt <- cortest.bartlett(plain, n=n)
fit <- suppressWarnings(fa(plain, nfactors=2, n.obs=n, rotate="none", fm="minres"))
write.csv(format(data.frame(quantity=c("kmo", "bartlett_chi2", rep("msa", 7), rep("communality", 7), rep("eigenvalue", 7)),
  term=c("", "", names7, names7, 1:7), estimate=c(k$MSA, bt$chisq, k$MSAi, fit$communality, eigen(plain)$values)), digits=15),
  "factors.csv", row.names=FALSE, quote=FALSE)

ekc_of <- function(name, R, n) data.frame(data=name, term=1:ncol(R), reference=suppressMessages(semTools::efa.ekc(sample.cov=R, sample.nobs=n, plot=FALSE))$Ref)
write.csv(format(rbind(ekc_of("harman74", Harman74.cor$cov, 145), ekc_of("ecsi", cor(m), nrow(m))), digits=15), "ekc.csv", row.names=FALSE, quote=FALSE)
