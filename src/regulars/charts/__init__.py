"""The house look of every chart, as ECharts option dictionaries."""
