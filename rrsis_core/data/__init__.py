"""Data: scenes, the expressions that are true about them, and the samples that training sees."""
