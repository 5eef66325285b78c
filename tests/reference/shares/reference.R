# Shares of groups with their intervals: Rscript reference.R reference.csv
suppressMessages(library(survey))
rows <- data.frame(
  g = c("a", "b", "a", "c", "a", "b", "b", "a", "c", "a", "b", "a"),
  w = c(.5, 1.2, 2, .7, 1, 1.5, .3, 2.2, 1, .9, 1.1, .6),
  k = c(1, 1, 2, 2, 3, 3, 4, 5, 5, 5, 6, 6)
)
designs <- list(
  weighted = svydesign(~1, weights = ~w, data = rows),
  clustered = svydesign(~k, weights = ~1, data = rows),
  both = svydesign(~k, weights = ~w, data = rows)
)
out <- NULL
for (design in names(designs)) for (code in c("a", "b", "c")) {
  d <- update(designs[[design]], y = as.numeric(g == code))
  share <- svymean(~y, d)
  ends <- confint(svyciprop(~y, d, method = "logit", df = degf(d)))
  out <- rbind(out, data.frame(design, group = code, estimate = coef(share), std_error = SE(share)[1], df = degf(d),
                               conf_low = ends[1], conf_high = ends[2]))
}
for (case in list(c(15, 148), c(0, 30), c(30, 30), c(1, 3))) {
  ends <- prop.test(case[1], case[2], correct = FALSE)$conf.int
  out <- rbind(out, data.frame(design = "wilson", group = paste(case, collapse = "/"), estimate = case[1] / case[2],
                               std_error = NA, df = NA, conf_low = ends[1], conf_high = ends[2]))
}
out[-(1:2)] <- lapply(out[-(1:2)], function(x) ifelse(is.na(x), "", sprintf("%.17g", x)))
write.csv(out, commandArgs(TRUE)[1], row.names = FALSE, quote = FALSE)
