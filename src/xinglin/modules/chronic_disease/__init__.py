"""Chronic disease management 慢病管理: hypertension, type 2 diabetes and the yearly examination of people of 65 and over."""
