# Peers of benchmarks/measurement.py: Rscript measurement.R data.csv times.csv values.csv repeats task ...
# Writes the seconds of each repeat and the values each task found; a task whose package is not installed is left out.
args <- commandArgs(TRUE)
x <- read.csv(args[1]); repeats <- as.integer(args[4]); tasks <- args[-(1:4)]
quietly <- function(call) { sink(tempfile()); on.exit(sink()); suppressMessages(suppressWarnings(call)) }
upper <- function(matrix) matrix[upper.tri(matrix)]  # column by column
constructs <- split(names(x), (seq_along(x) - 1) %/% 5)
model <- paste(sprintf("f%s =~ %s", names(constructs), sapply(constructs, paste, collapse=" + ")), collapse="\n")
loadings <- function(fit) abs(rowSums(lavaan::lavInspect(fit, "std")$lambda))  # the direction of a factor is free
every <- function() {
  fits <- list(lavaan::cfa(model, x, std.lv=TRUE), lavaan::cfa(model, x, std.lv=TRUE, estimator="MLR"),
               lavaan::cfa(model, x, std.lv=TRUE, ordered=TRUE, zero.add=c(0, 0)))
  for (f in fits) { lavaan::fitMeasures(f); lavaan::standardizedSolution(f) }
  lavaan::fitMeasures(lavaan::cfa(paste("g =~", paste(names(x), collapse=" + ")), x, std.lv=TRUE))
  lavaan::modindices(fits[[1]]); lavaan::residuals(fits[[1]], type="cor"); lavaan::residuals(fits[[3]], type="cor")
  unlist(lapply(fits, loadings))
}
slow <- c("psych omega", "lavaan cfa_bootstrap", "psych parallel", "psych polychoric", "psych alpha")  # timed twice at most
peers <- list(
  polychoric=list(
    lavaan=function() upper(unclass(lavaan::lavCor(x, ordered=names(x), zero.add=c(0, 0)))),
    psych=function() upper(psych::polychoric(x, correct=0)$rho)),
  parallel=list(
    psych=function() psych::fa.parallel(x, n.iter=100, fa="pc", quant=.95, plot=FALSE)$pc.sim),
  cfa=list(lavaan=function() loadings(lavaan::cfa(model, x, std.lv=TRUE))),
  wlsmv=list(lavaan=function() loadings(lavaan::cfa(model, x, std.lv=TRUE, ordered=TRUE, zero.add=c(0, 0)))),
  confirm=list(lavaan=every),
  cfa_bootstrap=list(lavaan=function() {
    fit <- lavaan::cfa(model, x, std.lv=TRUE)
    apply(lavaan::bootstrapLavaan(fit, R=200), 2, sd)[seq_along(x)] }),
  alpha=list(psych=function() {
    a <- psych::alpha(x, n.iter=1000, check.keys=FALSE); c(a$total$raw_alpha, sd(a$boot[, 1])) }),
  # omega(n.iter = ) of psych draws each resample from the one before it: fewer and fewer different rows, ever slower; so one by one here
  omega=list(psych=function() {
    one <- function(rows) psych::omega(rows, nfactors=1, fm="ml", flip=FALSE, plot=FALSE)$omega_h  # of one factor: that of all items
    c(one(x), sd(replicate(1000, one(x[sample(nrow(x), replace=TRUE), ])))) }))
times <- values <- NULL
for (task in tasks) for (peer in names(peers[[task]])) if (requireNamespace(peer, quietly=TRUE)) {
  quietly(loadNamespace(peer))
  for (i in seq_len(if (paste(peer, task) %in% slow) min(repeats, 2) else repeats)) {
    seconds <- system.time(found <- quietly(peers[[task]][[peer]]()))["elapsed"]
    times <- rbind(times, data.frame(task=task, who=paste("R", peer), seconds=unname(seconds)))
  }
  values <- rbind(values, data.frame(task=task, who=paste("R", peer), place=seq_along(found), value=found))
}
if (is.null(times)) times <- data.frame(task=character(), who=character(), seconds=numeric())
if (is.null(values)) values <- data.frame(task=character(), who=character(), place=integer(), value=numeric())
write.csv(times, args[2], row.names=FALSE)
write.csv(values, args[3], row.names=FALSE)
