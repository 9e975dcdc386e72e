print("agnesi")
