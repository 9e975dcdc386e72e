let stableCases: [RuleCase] = []
