"""Right orders: does a metric give the better of two fills the better value?"""
