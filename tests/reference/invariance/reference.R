# Measurement invariance by lavaan and semTools. R 4.2.2, lavaan 0.6-14, semTools 0.5-6.
#   Rscript reference.R CORP_REP.csv     in this folder; the argument is corp_rep_data.csv of seminr (not part of this repository)
# Writes estimates.csv, and moments_*.csv: means and covariances (denominator n - 1) by group of the two data sets that are not here.
suppressMessages({library(lavaan); library(semTools)})
corp_rep <- read.csv(commandArgs(TRUE)[1], na.strings = c("NA", "-99"))
mobi <- read.csv("../../../data/ecsi_mobile/mobi.csv"); mobi$third <- (seq_len(nrow(mobi)) - 1) %% 3
postal <- read.csv("../../../data/postal_demo/survey.csv", na.strings = c("NA", "-99", ""))
for (item in grep("^(qual|sati|loya)", names(postal))) postal[[item]][!postal[[item]] %in% 1:5] <- NA   # outside the scale
items <- function(model) unique(lavaanify(model)$rhs[lavaanify(model)$op == "=~"])
out <- list()
quietly <- function(e) suppressWarnings(suppressMessages(e))

run <- function(name, data, model, by, weight = NULL, cluster = NULL, least = 1, scores = TRUE, keep = FALSE) {
  x <- na.omit(data[, c(items(model), by, weight, cluster)])
  x <- x[x[[by]] %in% names(which(table(x[[by]]) >= least)), ]
  codes <- sort(unique(x[[by]])); x <- x[order(match(x[[by]], codes)), ]; n <- nrow(x)
  put <- function(quantity, estimate, scale, method, stat = NA, df = NA, p = NA, term = "", group = "", se = NA)
    out[[length(out) + 1]] <<- data.frame(data = name, quantity, scale, term, group, estimate, std_error = se, statistic = stat,
                                          df, p_value = p, n, method = paste0(method, "; by ", by))
  if (keep) write.csv(format(do.call(rbind, lapply(codes, function(g) { y <- x[x[[by]] == g, items(model)]
    data.frame(group = g, n = nrow(y), item = items(model), mean = colMeans(y), cov(y)) })), digits = 16, trim = TRUE),
    paste0("moments_", name, ".csv"), row.names = FALSE, quote = FALSE)
  equal <- list(configural = "", metric = "loadings", scalar = c("loadings", "intercepts"))
  for (estimator in c("ml", "mlr")) {
    fits <- lapply(equal, function(e) quietly(cfa(model, x, group = by, std.lv = TRUE, group.equal = e, sampling.weights = weight,
      cluster = cluster, estimator = if (is.null(weight) && is.null(cluster)) toupper(estimator) else "MLR",
      sampling.weights.normalization = "group")))
    design <- if (is.null(weight)) "" else "; weighted"
    method <- paste0(estimator, design, if (is.null(cluster)) "" else if (estimator == "ml") "; ignores clusters" else "; clustered")
    ix <- if (estimator == "ml") c(cfi = "cfi", rmsea = "rmsea", srmr = "srmr") else c(cfi = "cfi.robust", rmsea = "rmsea.robust", srmr = "srmr")
    ch <- if (estimator == "ml") c("chisq", "df", "pvalue") else c("chisq.scaled", "df.scaled", "pvalue.scaled")
    before <- NULL
    for (level in names(equal)) {
      m <- fitMeasures(fits[[level]]); put("invariance_chi2", m[[ch[1]]], level, method, m[[ch[1]]], m[[ch[2]]], m[[ch[3]]])
      for (q in names(ix)) put(paste0("invariance_", q), m[[ix[[q]]]], level, method)
      if (!is.null(before)) {
        for (q in names(ix)) put(paste0("invariance_", q, "_change"), m[[ix[[q]]]] - fitMeasures(fits[[before]])[[ix[[q]]]], level, method)
        if (estimator == "ml") { d <- m[["chisq"]] - fitMeasures(fits[[before]])[["chisq"]]; k <- m[["df"]] - fitMeasures(fits[[before]])[["df"]]; p <- pchisq(d, k, lower.tail = FALSE) }
        else { l <- quietly(lavTestLRT(fits[[before]], fits[[level]], method = "satorra.bentler.2001")); d <- l[2, "Chisq diff"]; k <- l[2, "Df diff"]; p <- l[2, "Pr(>Chisq)"] }
        put("invariance_chi2_change", d, level, method, d, k, p)
      }
      before <- level
      if (estimator == "ml" && is.null(weight)) {   # semTools writes the same model by itself
        s <- quietly(measEq.syntax(model, x, group = by, ID.fac = "std.lv", group.equal = equal[[level]], return.fit = TRUE))
        stopifnot(abs(fitMeasures(s)[["chisq"]] - m[["chisq"]]) < 1e-3, fitMeasures(s)[["df"]] == m[["df"]])
      }
    }
    if (estimator == "ml" && scores) for (level in c("metric", "scalar")) {
      pt <- parTable(fits[[level]]); cons <- pt[pt$op == "==", ]; op <- if (level == "metric") "=~" else "~1"
      for (k in seq_len(nrow(cons))) { r <- pt[match(cons$rhs[k], pt$plabel), ]; l <- pt[match(cons$lhs[k], pt$plabel), ]
        if (r$op != op) next
        s <- quietly(lavTestScore(fits[[level]], release = k, epc = TRUE)); e <- s$epc; x2 <- s$uni$X2[1]
        change <- e$epc[match(cons$rhs[k], e$plabel)] - e$epc[match(cons$lhs[k], e$plabel)]
        item <- if (op == "=~") r$rhs else r$lhs; factor <- pt$lhs[pt$op == "=~" & pt$rhs == item][1]
        put(if (op == "=~") "invariance_loading_change" else "invariance_intercept_change", change, factor, method, x2, 1,
            pchisq(x2, 1, lower.tail = FALSE), term = item, group = lavInspect(fits[[level]], "group.label")[r$group], se = abs(change) / sqrt(x2)) } }
  }
}

run("holzinger", HolzingerSwineford1939, "visual =~ x1+x2+x3\ntextual =~ x4+x5+x6\nspeed =~ x7+x8+x9", "school", keep = TRUE)
run("corp_rep", corp_rep, "competence =~ comp_1+comp_2+comp_3\nlikeability =~ like_1+like_2+like_3
quality =~ qual_1+qual_2+qual_3+qual_4+qual_5+qual_6+qual_7+qual_8\nperformance =~ perf_1+perf_2+perf_3+perf_4+perf_5
attractiveness =~ attr_1+attr_2+attr_3\nresponsibility =~ csor_1+csor_2+csor_3+csor_4+csor_5\nloyalty =~ cusl_1+cusl_2+cusl_3",
    "servicetype", keep = TRUE)
run("mobi", mobi, "image =~ IMAG1+IMAG2+IMAG3+IMAG4+IMAG5\nquality =~ PERQ1+PERQ2+PERQ3+PERQ4+PERQ5+PERQ6+PERQ7\nvalue =~ PERV1+PERV2", "third")
run("postal", postal, "quality =~ qual1+qual2+qual3\nsatisfaction =~ sati1+sati2+sati3\nloyalty =~ loya1+loya2", "region",
    weight = "weight", cluster = "branch", scores = FALSE)
write.csv(do.call(rbind, out), "estimates.csv", row.names = FALSE, na = "")
