# Measurement invariance of incomplete answers by R 4.2.2, lavaan 0.6-14, in two stages: Rscript incomplete.R    in this folder
# mobi: the ECSI survey with the answers taken out that ../missing/reference.R takes out, every third row a group. postal: the demo
# as it is, by region, without weights (lavaan has none here). Writes incomplete.csv: by "two.stage" (ml) and "robust.two.stage" (mlr).
# lavaan scales the model of unrelated items by the covariances of complete answers unless it is fitted with robust errors, as here
# (`baseline`); `cfi.default` is what it prints otherwise.
suppressMessages(library(lavaan))
mobi <- read.csv("../../../data/ecsi_mobile/mobi.csv")
i <- row(mobi) - 1; j <- col(mobi) - 1; whole <- mobi
mobi[(7 * i + 13 * j + i * j) %% 17 == 0] <- NA; mobi$IMAG5[whole$IMAG4 < 7] <- NA; mobi[31, ] <- NA
mobi$third <- (seq_len(nrow(mobi)) - 1) %% 3
postal <- read.csv("../../../data/postal_demo/survey.csv", na.strings = c("NA", "-99", ""))
for (item in grep("^(qual|sati|loya)", names(postal))) postal[[item]][!postal[[item]] %in% 1:5] <- NA   # outside the scale
quietly <- function(e) suppressWarnings(suppressMessages(e))
out <- NULL
run <- function(name, data, model, by) {
  items <- unique(lavaanify(model)$rhs[lavaanify(model)$op == "=~"])
  data <- data[!is.na(data[[by]]) & rowSums(!is.na(data[items])) > 0, ]
  data <- data[order(data[[by]]), ]
  put <- function(quantity, estimate, scale, method, stat = NA, df = NA, p = NA)
    out <<- rbind(out, data.frame(data = name, quantity, scale, estimate, statistic = stat, df, p_value = p, n = nrow(data),
                                  method = paste0(method, "; by ", by)))
  equal <- list(configural = "", metric = "loadings", scalar = c("loadings", "intercepts"))
  for (estimator in c("ml", "mlr")) {
    before <- NULL
    for (level in names(equal)) {
      fit <- quietly(cfa(model, data, group = by, std.lv = TRUE, group.equal = equal[[level]],
        missing = if (estimator == "ml") "two.stage" else "robust.two.stage", em.h1.tol = 1e-12, em.h1.iter.max = 5000,
        control = list(iter.max = 5000, eval.max = 5000)))
      method <- paste0(estimator, "; em")
      m <- fitMeasures(fit, baseline.model = quietly(lavaan:::lav_object_independence(fit, se = TRUE)))
      ix <- if (estimator == "ml") c(cfi = "cfi", rmsea = "rmsea", srmr = "srmr") else c(cfi = "cfi.robust", rmsea = "rmsea.robust", srmr = "srmr")
      ch <- if (estimator == "ml") c("chisq", "df", "pvalue") else c("chisq.scaled", "df.scaled", "pvalue.scaled")
      put("invariance_chi2", m[[ch[1]]], level, method, m[[ch[1]]], m[[ch[2]]], m[[ch[3]]])
      for (q in names(ix)) put(paste0("invariance_", q), m[[ix[[q]]]], level, method)
      if (estimator == "mlr") put("cfi.default", fitMeasures(fit)[["cfi.robust"]], level, method)
      if (!is.null(before)) {
        if (estimator == "ml") { d <- m[["chisq"]] - before$m[["chisq"]]; k <- m[["df"]] - before$m[["df"]]; p <- pchisq(d, k, lower.tail = FALSE) }
        else { l <- quietly(lavTestLRT(before$fit, fit, method = "satorra.bentler.2001")); d <- l[2, "Chisq diff"]; k <- l[2, "Df diff"]; p <- l[2, "Pr(>Chisq)"] }
        put("invariance_chi2_change", d, level, method, d, k, p)
      }
      before <- list(fit = fit, m = m)
    }
  }
}
run("mobi", mobi, "image =~ IMAG1+IMAG2+IMAG3+IMAG4+IMAG5\nquality =~ PERQ1+PERQ2+PERQ3+PERQ4+PERQ5+PERQ6+PERQ7\nvalue =~ PERV1+PERV2", "third")
run("postal", postal, "quality =~ qual1+qual2+qual3\nsatisfaction =~ sati1+sati2+sati3\nloyalty =~ loya1+loya2", "region")
write.csv(out, "incomplete.csv", row.names = FALSE, na = "")
