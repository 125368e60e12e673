"""What the `Package` step needs to know of apt and dpkg.

``status``       what is installed, read from dpkg's own file
``needed``       what can go without taking anything else along
``locks``        who else is at work with packages
``transaction``  apt's own commands, run so that nothing is asked and nothing is cut
``causes``       what their failures mean
``brought``      which packages, users and folders came by bramble, over all services
"""
