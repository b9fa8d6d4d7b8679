"""WeChat: WeCom (企业微信), official accounts (公众号) and mini programs (小程序)."""
