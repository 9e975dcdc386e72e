let lossExtremes: [ExtremeCase] = []
