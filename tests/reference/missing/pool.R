# Rubin's rules by R 4.2.2, mice 3.15: Rscript pool.R pool.csv
# Four made-up regressions (estimate, std_error, of two terms), complete degrees of freedom 46.
suppressMessages(library(mice))
Q <- cbind(a = c(.52, .61, .47, .58), b = c(-.20, .05, .11, -.02)); U <- cbind(a = c(.010, .012, .011, .009), b = c(.04, .05, .045, .038))
rows <- NULL
for (term in c("a", "b")) { s <- pool.scalar(Q[, term], U[, term], n = 48, k = 2)
  rows <- rbind(rows, data.frame(term, estimate = s$qbar, std_error = sqrt(s$t), df = s$df, missing_information = s$fmi)) }
write.csv(rows, commandArgs(TRUE)[1], row.names = FALSE)
