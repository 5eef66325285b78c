# Peers of benchmarks/measurement.py: Rscript measurement.R data.csv times.csv values.csv repeats task ...
# Writes the seconds of each repeat and the values each task found; a task whose package is not installed is left out.
args <- commandArgs(TRUE)
x <- read.csv(args[1]); repeats <- as.integer(args[4]); tasks <- args[-(1:4)]
quietly <- function(call) { sink(tempfile()); on.exit(sink()); suppressMessages(suppressWarnings(call)) }
upper <- function(matrix) matrix[upper.tri(matrix)]  # column by column
peers <- list(
  polychoric=list(
    lavaan=function() upper(unclass(lavaan::lavCor(x, ordered=names(x), zero.add=c(0, 0)))),
    psych=function() upper(psych::polychoric(x, correct=0)$rho)),
  parallel=list(
    psych=function() psych::fa.parallel(x, n.iter=100, fa="pc", quant=.95, plot=FALSE)$pc.sim))
times <- values <- NULL
for (task in tasks) for (peer in names(peers[[task]])) if (requireNamespace(peer, quietly=TRUE)) {
  quietly(loadNamespace(peer))
  for (i in seq_len(repeats)) {
    seconds <- system.time(found <- quietly(peers[[task]][[peer]]()))["elapsed"]
    times <- rbind(times, data.frame(task=task, who=paste("R", peer), seconds=unname(seconds)))
  }
  values <- rbind(values, data.frame(task=task, who=paste("R", peer), place=seq_along(found), value=found))
}
if (is.null(times)) times <- data.frame(task=character(), who=character(), seconds=numeric())
if (is.null(values)) values <- data.frame(task=character(), who=character(), place=integer(), value=numeric())
write.csv(times, args[2], row.names=FALSE)
write.csv(values, args[3], row.names=FALSE)
