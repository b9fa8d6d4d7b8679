"""SMS by Aliyun and Tencent Cloud, to numbers in mainland China and abroad."""
